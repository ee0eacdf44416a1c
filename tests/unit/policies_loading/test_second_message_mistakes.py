"""A second message is declared in full or not at all; each mistake names its place, field and remedy."""

from pathlib import Path

import pytest

from policies.loader import PLAYBOOK_FOLDER, load_playbook, load_playbooks
from tests.unit.policies_loading.test_playbook_mistakes import SOURCE, mistake, place_of

_WITH_HOLDOUT = SOURCE.replace("purpose: service", "purpose: safety").replace(
    """  - {kind: email, template: email}
  - {kind: sms, template: sms}
""",
    """  - {kind: email, template: email, second: email_again}
  - {kind: sms, template: sms, second: sms_again}
when_unknown: second_channel
""",
)
SECOND = _WITH_HOLDOUT[: _WITH_HOLDOUT.index("holdout:")] + _WITH_HOLDOUT[_WITH_HOLDOUT.index("value:") :]


def test_a_second_message_can_be_declared(tmp_path: Path) -> None:
    path = tmp_path / "shipping_delay.yaml"
    path.write_text(SECOND, encoding="utf-8")

    playbook = load_playbook(path).playbook

    assert playbook.templates == ("email", "sms", "email_again", "sms_again")
    assert load_playbooks(PLAYBOOK_FOLDER)["shipping_delay"].playbook.when_unknown == "leave"


@pytest.mark.parametrize(
    ("old", "new", "mark", "field", "remedy"),
    [
        ("when_unknown: second_channel\n", "", "email_again", "channels[0].second", "or remove it"),
        ("purpose: safety", "purpose: service", "second_channel", "when_unknown", "only safety and account"),
        (
            "  - {kind: sms, template: sms, second: sms_again}\n",
            "",
            "second_channel",
            "when_unknown",
            "add one to channels",
        ),
        (", second: sms_again", "", "{kind: sms", "channels[1]", "says that it may repeat"),
        ("second: sms_again", "second: sms", "sms}", "channels[1].second", "says that it may repeat"),
        (
            "when_unknown: second_channel",
            "when_unknown: two_channels",
            "two_channels",
            "when_unknown",
            "did you mean `second_channel`?",
        ),
    ],
    ids=["undeclared", "purpose", "one channel", "no text", "the first text", "unknown word"],
)
def test_a_second_message_must_be_declared_in_full(
    old: str, new: str, mark: str, field: str, remedy: str, tmp_path: Path
) -> None:
    assert old in SECOND
    text = SECOND.replace(old, new, 1)

    error = mistake(tmp_path, text)

    line, column = place_of(text, mark)
    assert str(error).startswith(f"{tmp_path / 'shipping_delay.yaml'}:{line}:{column}: ")
    assert error.field == field
    assert remedy in (error.remedy or "")
