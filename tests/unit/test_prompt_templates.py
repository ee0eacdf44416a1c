import itertools
from pathlib import Path

import pytest

from prompts.templates import TemplateStore
from tools.errors import InputError

FACTS = ("order.number", "order.promised_on", "shipment.eta_on")
REQUIRED = ("order.number", "order.promised_on")
GOOD = """---
subject: "Order {order.number}"
---
It was due {order.promised_on}.

{% if 'shipment.eta_on' in facts %}
It is now due {shipment.eta_on}.
{% else %}
There is no date.
{% endif %}
"""


def store(folder: Path, **files: str) -> TemplateStore:
    """Write `stem_language` files of one scenario."""
    (folder / "delay").mkdir(exist_ok=True)
    for name, text in files.items():
        stem, _, language = name.partition("_")
        (folder / "delay" / f"{stem}.{language}.j2").write_text(text, encoding="utf-8")
    return TemplateStore(folder)


def check(folder: Path, text: str) -> InputError:
    with pytest.raises(InputError) as caught:
        store(folder, email_en=text).check("delay", "email", facts=FACTS, required=REQUIRED)
    return caught.value


def test_a_branch_is_taken_when_its_fact_is_there(tmp_path: Path) -> None:
    templates = store(tmp_path, email_en=GOOD)

    with_date = templates.slotted("delay", "email", "en", FACTS)
    without = templates.slotted("delay", "email", "en", REQUIRED)

    assert with_date.subject == "Order {order.number}"
    assert with_date.body == "It was due {order.promised_on}.\n\nIt is now due {shipment.eta_on}."
    assert without.body == "It was due {order.promised_on}.\n\nThere is no date."
    assert with_date.id == without.id == "delay/email.en"
    assert with_date.version_hash == without.version_hash
    assert len(with_date.version_hash) == 64


def test_the_hash_changes_with_the_file(tmp_path: Path) -> None:
    first = store(tmp_path, email_en=GOOD).slotted("delay", "email", "en", ())
    second = store(tmp_path, email_en=GOOD + "More.\n").slotted("delay", "email", "en", ())

    assert first.version_hash != second.version_hash


@pytest.mark.parametrize(
    ("asked", "found"),
    [("pt_BR", "pt_BR"), ("pt-br", "pt_BR"), ("pt_PT", "pt"), ("pt", "pt"), ("de_DE", "en"), ("../x", "en")],
)
def test_the_nearest_language_is_used(tmp_path: Path, asked: str, found: str) -> None:
    templates = store(tmp_path, email_en=GOOD, email_pt=GOOD, email_pt_BR=GOOD)

    assert templates.slotted("delay", "email", asked, ()).language == found
    assert templates.languages("delay", "email") == ("en", "pt", "pt_BR")
    assert templates.languages("delay", "sms") == ()


def test_a_template_that_fits_its_playbook_passes(tmp_path: Path) -> None:
    store(tmp_path, email_en=GOOD).check("delay", "email", facts=FACTS, required=REQUIRED)


def test_a_slot_that_no_fact_fills_is_named_with_its_line_and_the_nearest_fact(tmp_path: Path) -> None:
    error = check(tmp_path, GOOD.replace("{order.promised_on}", "{order.promised_no}"))

    assert "no fact fills the slot {order.promised_no}" in str(error)
    assert "email.en.j2:4:" in str(error)
    assert "did you mean order.promised_on?" in str(error)


def test_a_condition_on_an_unknown_fact_is_refused(tmp_path: Path) -> None:
    error = check(tmp_path, GOOD.replace("'shipment.eta_on' in", "'shipment.eta' in"))

    assert "no fact fills the slot {shipment.eta}" in str(error)
    assert error.line == 6


def test_an_optional_fact_needs_its_own_branch(tmp_path: Path) -> None:
    error = check(tmp_path, GOOD + "See {shipment.eta_on}.\n")

    assert "the slot {shipment.eta_on} is not always filled" in str(error)
    assert "{% if 'shipment.eta_on' in facts %}" in str(error)


def test_the_wrong_branch_does_not_count(tmp_path: Path) -> None:
    error = check(tmp_path, GOOD.replace("There is no date.", "It is {shipment.eta_on}."))

    assert "is not always filled" in str(error)


def test_a_missing_english_template_is_refused(tmp_path: Path) -> None:
    templates = store(tmp_path, email_de=GOOD)

    with pytest.raises(InputError, match="there is no English template 'email' for 'delay'"):
        templates.check("delay", "email", facts=FACTS, required=REQUIRED)
    with pytest.raises(InputError, match=r"write delay/sms\.en\.j2"):
        templates.slotted("delay", "sms", "en", ())


@pytest.mark.parametrize(
    ("code", "word"),
    [
        pytest.param("{{ order }}", "name", id="expression"),
        pytest.param("{{ 'a' * 10**9 }}", "mul", id="arithmetic"),
        pytest.param("{{ ''.__class__ }}", "getattr", id="attribute"),
        pytest.param("{{ range(9) }}", "call", id="call"),
        pytest.param("{{ 'a' | upper }}", "filter", id="filter"),
        pytest.param("{% for x in facts %}x{% endfor %}", "for", id="loop"),
        pytest.param("{% set x = 'a' %}", "assign", id="assignment"),
        pytest.param("{% include 'x' %}", "include", id="include"),
        pytest.param("{% macro m() %}{% endmacro %}", "macro", id="macro"),
        pytest.param("{% if facts %}x{% endif %}", "name", id="other condition"),
        pytest.param("{% if 'a' in 'b' %}x{% endif %}", "compare", id="other comparison"),
        pytest.param("{% if 'a' == facts %}x{% endif %}", "compare", id="equality"),
        pytest.param("{% if 'a' in facts.b %}x{% endif %}", "compare", id="attribute in condition"),
    ],
)
def test_nothing_but_text_slots_and_branches_is_let_in(tmp_path: Path, code: str, word: str) -> None:
    error = check(tmp_path, GOOD + code + "\n")

    assert f"a template may not contain {word}" in str(error)
    assert error.line == 11


@pytest.mark.parametrize("code", ["{", "}", "{order}", "{Order.number}", "{order.number", "{# note #}", "{}"])
def test_a_stray_brace_is_refused_with_its_line(tmp_path: Path, code: str) -> None:
    error = check(tmp_path, GOOD + f"See {code} here.\n")

    assert error.line == 11 or "cannot be read" in error.problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("No head.\n", "the file has no head", id="no head"),
        pytest.param("---\nsubject: x\nNo end.\n", "the file has no head", id="head without end"),
        pytest.param("---\nsubjekt: x\n---\nHi.\n", "subjekt", id="unknown field"),
        pytest.param("---\nsubject: {a: b}\n---\nHi.\n", "subject", id="subject is no text"),
        pytest.param("---\n---\n{% if 'a' in facts %}\nHi.\n", "cannot be read", id="open branch"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, problem: str) -> None:
    error = check(tmp_path, text)

    assert problem in str(error)
    assert "email.en.j2" in str(error)


def test_a_file_with_an_odd_name_is_refused(tmp_path: Path) -> None:
    templates = store(tmp_path, email_en=GOOD)
    (tmp_path / "delay" / "email.english.j2").write_text(GOOD, encoding="utf-8")

    with pytest.raises(InputError, match="the name of the template cannot be read"):
        templates.languages("delay", "email")


def test_too_many_conditions_are_refused(tmp_path: Path) -> None:
    facts = [f"order.f{number}" for number in range(9)]
    branches = "".join(f"{{% if '{name}' in facts %}}x{{% endif %}}" for name in facts)
    templates = store(tmp_path, email_en=GOOD + branches)

    with pytest.raises(InputError, match="8 is the most"):
        templates.check("delay", "email", facts=[*FACTS, *facts], required=REQUIRED)


def test_every_combination_of_optional_facts_is_checked(tmp_path: Path) -> None:
    names = ("a.one", "b.two", "c.three")
    body = "{% if 'a.one' in facts and 'b.two' in facts and 'c.three' not in facts %}{c.three}{% endif %}"
    templates = store(tmp_path, email_en=f"---\n---\n{body}\n")

    for size in range(4):
        for required in itertools.combinations(names, size):
            if "c.three" in required:
                templates.check("delay", "email", facts=names, required=required)
            else:
                with pytest.raises(InputError, match="not always filled"):
                    templates.check("delay", "email", facts=names, required=required)
