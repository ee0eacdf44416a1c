"""The page: asks nothing of any network, escapes every text of a case, stays small, and its filters work."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest
from typing_extensions import override

from evals.compare.verdict import compare
from evals.gate import Gates, load_gates
from evals.report.judged import judged
from evals.report.web_page import MOST_CHARACTERS, ROOM, html_page
from evals.results import Run
from tests.unit.evals_stats.runs import failed, run, transcript
from tests.unit.evals_stats.sample import sides

CHROMIUM: Final = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--virtual-time-budget=2000", "--dump-dom"),
)
HOSTILE: Final = (
    " </script><script>document.title='owned'</script>",
    " \"><img src=http://evil.example/x onerror=document.title='owned'>",
    " '><svg onload=document.title='owned'>",
    " </style><link rel=stylesheet href=//evil.example/x>",
    " <iframe src=javascript:document.title='owned'></iframe>",
    " {{ 7 * 7 }}{% raw %}",
    " <!-- --!> ]]> &lt;b&gt; \u202egpj.exe \x00\x1b[31m",
)
VOID: Final = {"meta", "input", "br", "use"}


class Parts(HTMLParser):
    """Collects tags, attributes and the texts of scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.unmatched: list[str] = []
        self.feed(page)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    @override
    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.unmatched.append(tag)
        else:
            self.open.pop()


def page_of(new: Run, old: Run) -> str:
    """Return the page of a comparison."""
    return html_page(judged(new, load_gates(), compare(new, old, k=4)))


@pytest.fixture(scope="module")
def page() -> str:
    return page_of(*sides(cases=6))


@pytest.fixture(scope="module")
def hostile() -> str:
    return page_of(*sides(cases=3, words="".join(HOSTILE)))


def test_the_page_names_no_address(page: str) -> None:
    assert re.findall(r"https?:|//\w|@import|url\((?!#)", page) == []
    links = [
        value for _, name, value in Parts(page).attributes if name in {"href", "src", "xlink:href", "action"}
    ]
    assert links
    assert all(value.startswith("#") for value in links)


def test_the_page_is_whole(page: str) -> None:
    parts = Parts(page)

    assert (parts.open, parts.unmatched) == ([], [])
    ids = [value for _, name, value in parts.attributes if name == "id"]
    assert len(ids) == len(set(ids))


def test_texts_of_cases_open_no_tag(page: str, hostile: str) -> None:
    parts = Parts(hostile)

    assert set(parts.tags) <= set(Parts(page).tags) | {"br"}
    assert parts.tags.count("script") == parts.tags.count("style") == 1
    assert (parts.open, parts.unmatched) == ([], [])
    assert [name for _, name, _ in parts.attributes if name.startswith("on")] == []
    assert not {"img", "iframe", "link", "base", "object"} & set(parts.tags)


def test_texts_of_cases_are_shown_as_they_are(hostile: str) -> None:
    assert "{{ 7 * 7 }}" in hostile
    assert "&lt;script&gt;document.title=&#39;owned&#39;&lt;/script&gt;" in hostile
    assert "\u202e" not in hostile
    assert "\\u202egpj.exe" in hostile
    assert "\x00" not in hostile


def test_the_page_forbids_all_but_its_own_script(page: str) -> None:
    policies = [value for tag, name, value in Parts(page).attributes if (tag, name) == ("meta", "content")]
    policy = next(value for value in policies if value.startswith("default-src"))

    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2]


def test_tables_and_figures_are_told_to_those_who_do_not_see_them(page: str) -> None:
    parts = Parts(page)
    heads = [value for tag, name, value in parts.attributes if (tag, name) == ("th", "scope")]

    assert len(heads) == parts.tags.count("th")
    assert {"row", "col"} == set(heads)
    told = [value for _, name, value in parts.attributes if name == "aria-label" and "." in value]
    assert any("Reliability by family. " in value and "identity: " in value for value in told)
    assert parts.tags.count("svg") == sum(
        (tag, name) == ("svg", "aria-hidden") for tag, name, _ in parts.attributes
    )


def test_a_usual_page_is_small(page: str) -> None:
    assert 50_000 < len(page) < 500_000


def test_a_page_of_very_long_transcripts_is_bounded() -> None:
    told = {one.reference: one for one in (transcript(f"{number} " + "x" * 50_000) for number in range(400))}
    made = run(
        *(failed(f"case {number}", transcript=name) for number, name in enumerate(told)), transcripts=told
    )

    page = html_page(judged(made, Gates()))

    assert len(page) < ROOM * 1.3 + 400_000
    assert "The page is full" in page
    assert "x" * (MOST_CHARACTERS + 1) not in page


def test_a_page_without_gates_or_comparison_is_whole() -> None:
    parts = Parts(html_page(judged(run(failed()), Gates())))

    assert (parts.open, parts.unmatched) == ([], [])
    assert "#cases" in {value for _, name, value in parts.attributes if name == "href"}


def browse(page: str, folder: Path) -> str:
    """Return the page's document after its script has run."""
    assert CHROMIUM is not None
    (folder / "page.html").write_text(page, "utf-8")
    done = subprocess.run(
        [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", (folder / "page.html").as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=90,
    )
    return done.stdout


DRIVER = """<script>
const form = document.getElementById("filters");
const seen = {};
const ask = (name, fields) => {
  for (const key of ["family", "scenario", "outcome", "search"]) form.elements[key].value = fields[key] || "";
  form.dispatchEvent(new Event("input"));
  const shown = document.querySelectorAll("details.case:not([hidden])").length;
  seen[name] = `${shown}; ${document.getElementById("count").textContent}`;
};
ask("all", {});
ask("family", {family: "identity"});
ask("failed", {outcome: "failed"});
ask("both", {family: "money", scenario: "payment_due", search: "MONEY  4711"});
ask("flipped", {outcome: "flipped"});
ask("nothing", {search: "no such words"});
document.body.dataset.seen = JSON.stringify(seen);
</script></body>"""

in_browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")


@pytest.mark.slow
@in_browser
def test_filters_show_what_they_say(tmp_path: Path) -> None:
    new, old = sides(cases=6)
    comparison = compare(new, old, k=4)
    driven = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page_of(new, old))

    document = browse(driven.replace("</body>", DRIVER), tmp_path)

    seen = re.search(r'data-seen="([^"]*)"', document)
    assert seen is not None
    answers = dict(re.findall(r"&quot;(\w+)&quot;:&quot;([^&]*)&quot;", seen[1]))
    failing = sum(not any(one.passed for one in repeats) for repeats in new.cases.values())
    assert answers == {
        "all": "84; 84 of 84 cases",
        "family": "6; 6 of 84 cases",
        "failed": f"{failing}; {failing} of 84 cases",
        "both": "2; 2 of 84 cases",
        "flipped": f"{len(comparison.flips)}; {len(comparison.flips)} of 84 cases",
        "nothing": "0; 0 of 84 cases",
    }


@pytest.mark.slow
@in_browser
def test_a_hostile_page_runs_its_own_script_and_no_other(hostile: str, tmp_path: Path) -> None:
    document = browse(hostile, tmp_path)

    form = re.search(r'<form id="filters"[^>]*>', document)
    assert form is not None
    assert "hidden" not in form[0]  # our script ran, so its hash fits
    assert "<title>owned" not in document
    assert Parts(document).tags.count("script") == 1
