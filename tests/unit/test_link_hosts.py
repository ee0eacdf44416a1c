import pytest

from tools.link_hosts import UNREADABLE, true_host


@pytest.mark.parametrize(
    ("url", "host"),
    [
        pytest.param("https://shop.example/a?b=c", "shop.example", id="plain"),
        pytest.param("HTTPS://Shop.Example:8443/", "shop.example", id="case and port"),
        pytest.param("https://ex\u00e4mple.com", "xn--exmple-cua.com", id="honest umlaut"),
        pytest.param("https://stra\u00dfe.de", "xn--strae-oqa.de", id="sharp s stays itself"),
        pytest.param("https://p\u0430ypal.com", "xn--pypal-4ve.com", id="cyrillic look-alike"),
        pytest.param("https://\u0430\u0440\u0440\u04cf\u0435.com", "xn--80ak6aa92e.com", id="all cyrillic"),
        pytest.param("https://bank.example@evil.example/x", "evil.example", id="user part"),
        pytest.param("https://evil.example\\@bank.example", "evil.example", id="backslash"),
        pytest.param("https://%65vil.example", "evil.example", id="percent"),
        pytest.param("https://bank.example\uff0eevil.example", "bank.example.evil.example", id="wide dot"),
        pytest.param("https://bank\u200b.example", "bank.example", id="zero width, dropped by UTS 46"),
        pytest.param("http://[::1", UNREADABLE, id="broken"),
        pytest.param("https:///path", UNREADABLE, id="none"),
        pytest.param("mailto:ada@example.org", UNREADABLE, id="no authority"),
        pytest.param("https://" + 70 * "\u00e4" + ".com", UNREADABLE, id="label too long"),
    ],
)
def test_the_host_a_browser_asks_for_is_shown(url: str, host: str) -> None:
    assert true_host(url) == host
