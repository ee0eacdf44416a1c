import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.guards.channels import (
    GSM_BASIC,
    GSM_EXTENSION,
    check_channel,
    segments,
    sms_parts,
    sms_size,
    sms_text,
)
from tools.records.vocabulary import ChannelKind

GSM = "".join(sorted(GSM_BASIC | GSM_EXTENSION))


def failed(channel: ChannelKind, subject: str, body: str) -> list[str]:
    return [finding.guard for finding in check_channel(channel, subject, body) if not finding.ok]


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        pytest.param("a" * 160, [160], id="a full one in GSM-7"),
        pytest.param("a" * 161, [153, 8], id="GSM-7 over two"),
        pytest.param("€" * 81, [76, 5], id="an escaped character is not split"),
        pytest.param("漢" * 70, [70], id="a full one in UCS-2"),
        pytest.param("漢" * 71, [67, 4], id="UCS-2 over two"),
        pytest.param("a" * 70 + "漢", [67, 4], id="one wide character makes all of it UCS-2"),
        pytest.param("😀" * 36, [33, 3], id="a surrogate pair is not split"),
        pytest.param("漢" * 66 + "😀" * 3, [66, 3], id="nor at the end of a segment"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_a_text_is_parted_where_its_segments_end(text: str, lengths: list[int]) -> None:
    assert [len(part) for part in sms_parts(text)] == lengths


@given(text=st.text(st.sampled_from("ab€漢😀é\n"), max_size=400))
def test_parts_are_the_text_in_as_many_segments_as_are_counted(text: str) -> None:
    parts, size = sms_parts(text), sms_size(text)

    assert ("".join(parts), len(parts)) == (text, size.segments)
    most = (160, 153) if size.encoding == "GSM-7" else (70, 67)
    for part in parts:
        units = (
            sum(1 + (char == "€") for char in part)
            if size.encoding == "GSM-7"
            else len(part.encode("utf-16-le")) // 2
        )
        assert units <= most[len(parts) > 1]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param("", 0, id="empty"),
        pytest.param("a" * 160, 1, id="gsm single, full"),
        pytest.param("a" * 161, 2, id="gsm single, one over"),
        pytest.param("a" * 306, 2, id="gsm double, full"),
        pytest.param("a" * 307, 3, id="gsm double, one over"),
        pytest.param("€" * 80, 1, id="extension counts twice"),
        pytest.param("€" * 81, 2, id="extension, one over"),
        pytest.param("a" * 152 + "€" + "a" * 151, 2, id="escape fits the part after"),
        pytest.param("a" * 152 + "€" + "a" * 152, 3, id="escape is not split"),
        pytest.param("ã" * 70, 1, id="ucs-2 single, full"),
        pytest.param("ã" * 71, 2, id="ucs-2 single, one over"),
        pytest.param("ã" * 134, 2, id="ucs-2 double, full"),
        pytest.param("ã" * 135, 3, id="ucs-2 double, one over"),
        pytest.param("😀" * 35, 1, id="surrogates count twice"),
        pytest.param("ã" * 66 + "😀" + "ã" * 65, 2, id="pair fits the part after"),
        pytest.param("ã" * 66 + "😀" + "ã" * 66, 3, id="pair is not split"),
        pytest.param("äöüñàéèùìòÄÖÜßÇ¿¡§", 1, id="letters that gsm has"),
        pytest.param("a" * 160 + "ç", 3, id="one small c with cedilla makes it ucs-2"),
    ],
)
def test_segments(text: str, count: int) -> None:
    assert segments(text) == count


def test_the_alphabet_has_127_characters_beside_the_escape() -> None:
    assert len(GSM_BASIC) == 127
    assert len(GSM_EXTENSION) == 10


@settings(max_examples=60)
@given(text=st.text(GSM, max_size=500), more=st.text(GSM, max_size=5))
def test_a_longer_text_never_takes_fewer_segments(text: str, more: str) -> None:
    assert segments(text) <= segments(text + more)


@settings(max_examples=60)
@given(text=st.text(max_size=300))
def test_segments_lie_between_the_bounds_of_the_two_alphabets(text: str) -> None:
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2

    assert segments(text) <= -(-units // 66) + 1
    assert segments(text) >= -(-len(text) // 160)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        pytest.param("Previsão: 5 de março", "Previsao: 5 de marco", id="portuguese"),
        pytest.param("Für Jürgen: 5 €", "Für Jürgen: 5 €", id="letters that gsm has stay"),
        pytest.param(
            "\u201eIt\u2019s late\u2026\u201c \u2013 sorry", '"It\'s late..." - sorry', id="typography"
        ),
        pytest.param("12\u202f345\u00a0€", "12 345 €", id="no-break spaces"),
        pytest.param("até já 😀", "até já 😀", id="nothing is lost when it does not help"),
        pytest.param("配達は明日", "配達は明日", id="another script"),
    ],
)
def test_sms_text_is_the_cheapest_form(text: str, sent: str) -> None:
    assert sms_text(text) == sent


@settings(max_examples=80)
@given(text=st.text(max_size=200))
def test_sms_text_never_costs_more_than_the_typography_adds(text: str) -> None:
    result = sms_text(text)

    assert sms_text(result) == result
    assert result == text or all(char in GSM for char in result)


@pytest.mark.parametrize(
    ("channel", "subject", "body", "guards"),
    [
        pytest.param(ChannelKind.EMAIL, "a" * 78, "Hello", [], id="mail at its limit"),
        pytest.param(ChannelKind.EMAIL, "a" * 79, "Hello", ["channel.subject"], id="mail subject too long"),
        pytest.param(ChannelKind.EMAIL, "", "Hello", ["channel.subject"], id="mail without subject"),
        pytest.param(ChannelKind.EMAIL, "a\r\nBcc: b", "Hello", ["channel.subject"], id="header injection"),
        pytest.param(ChannelKind.EMAIL, "a", " \n", ["channel.body"], id="mail without text"),
        pytest.param(ChannelKind.PUSH, "a" * 50, "a" * 178, [], id="push at its limits"),
        pytest.param(ChannelKind.PUSH, "a" * 51, "a", ["channel.subject"], id="push title too long"),
        pytest.param(ChannelKind.PUSH, "a", "a" * 179, ["channel.body"], id="push too long"),
        pytest.param(ChannelKind.SMS, "", "a" * 459, [], id="sms at its limit"),
        pytest.param(ChannelKind.SMS, "", "a" * 460, ["channel.segments"], id="sms too long"),
        pytest.param(ChannelKind.SMS, "", "ã" * 202, ["channel.segments"], id="sms too long in ucs-2"),
        pytest.param(ChannelKind.SMS, "Hi", "a", ["channel.subject"], id="sms with subject"),
    ],
)
def test_channel_limits(channel: ChannelKind, subject: str, body: str, guards: list[str]) -> None:
    assert failed(channel, subject, body) == guards
