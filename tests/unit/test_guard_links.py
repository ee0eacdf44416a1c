import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.guards.links import check_links, link_problem, urls_in

HOSTS = ("pay.example.com", "paypal.com")


@pytest.mark.parametrize(
    "url",
    [
        "https://pay.example.com",
        "https://pay.example.com/i/42?a=b#c",
        "https://PAY.example.com/",
        "https://pay.example.com:443/",
        "https://pay.example.com/@me",
    ],
)
def test_named_host_by_https_is_fine(url: str) -> None:
    assert link_problem(url, hosts=HOSTS) == ""


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://pay.example.com/", "https"),
        ("ftp://pay.example.com/", "https"),
        ("javascript:alert(1)", "https"),
        ("https://www.pay.example.com/", "link_hosts"),
        ("https://example.com/", "link_hosts"),
        ("https://pay.example.com.evil.com/", "link_hosts"),
        ("https://pay.example.com@evil.com/", "user"),
        ("https://user:pw@pay.example.com/", "user"),
        ("https://pay.example.com:8443/", "port"),
        ("https://pay.example.com:x/", "read"),
        ("https://[::1/", "read"),
        ("https://pay.example.com\\@evil.com/", "ASCII"),
        ("https://pay.example.com/\u202e", "ASCII"),
        ("https://pay.example.com/ x", "ASCII"),
        ("https://evil.com/\ufeff", "ASCII"),
        ("https://p\u0430yp\u0430l.com/", "looks like paypal.com"),
        ("https://xn--pypl-53dc.com/", "looks like paypal.com"),
        ("https://paypa1.com/", "looks like paypal.com"),
        ("https://pay-pal.com/", "looks like paypal.com"),
        ("https://pay.exarnple.com/", "looks like pay.example.com"),
        ("https:///path", "link_hosts"),
    ],
)
def test_other_links_are_refused_with_the_reason(url: str, problem: str) -> None:
    assert problem in link_problem(url, hosts=HOSTS)


def test_no_hosts_means_no_links() -> None:
    finding = check_links(["https://pay.example.com/"], hosts=())

    assert (finding.guard, finding.ok) == ("links.host", False)
    assert check_links([], hosts=()).ok


def test_links_are_found_without_the_punctuation_of_the_sentence() -> None:
    text = "See https://a.example/x?y=1, (https://b.example/) or https://c.example/z."

    assert urls_in(text) == ("https://a.example/x?y=1", "https://b.example/", "https://c.example/z")


@given(url=st.text(max_size=60))
def test_any_text_gets_an_answer(url: str) -> None:
    assert link_problem(f"https://{url}", hosts=()) != ""


@given(host=st.from_regex(r"[a-z0-9-]{1,20}(\.[a-z0-9-]{1,20}){1,2}", fullmatch=True))
def test_only_an_exact_host_is_let_through(host: str) -> None:
    assert (link_problem(f"https://{host}/", hosts=HOSTS) == "") == (host in HOSTS)
