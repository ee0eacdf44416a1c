"""The figures of the page as inline SVG that takes its colours from the page."""
# pyright: reportUnknownMemberType=false
# matplotlib types its keyword arguments only in part

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evals.report.words import between, money, percent, plain_policies
from evals.summary import Calibration, FamilyScore, Summary, Worth

_INK, _MUTED, _GRID, _GOOD, _BAD, _PLAIN = ("#010101", "#020202", "#030303", "#040404", "#050505", "#060606")
_COLOURS: Final = {
    _INK: "var(--ink)",
    _MUTED: "var(--muted)",
    _GRID: "var(--line)",
    _GOOD: "var(--good)",
    _BAD: "var(--bad)",
    _PLAIN: "var(--accent)",
}
"""Stand-ins that no other part of a figure uses → the colours of the page, light or dark."""
_WIDTH: Final = 4.8  # inches; as wide as a telephone, so that words can be read there too
_MINUS: Final = "\N{MINUS SIGN}"
_DROPPED: Final = re.compile(
    r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", re.DOTALL
)
_NAMES: Final = re.compile(r'\sxmlns(?::\w+)?="[^"]*"')
_SIZE: Final = re.compile(r'(<svg\b[^>]*?)\swidth="[^"]*"\sheight="[^"]*"|(<svg\b[^>]*?)\sheight="[^"]*"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure with what it shows in words, for those who do not see it."""

    title: str
    caption: str
    words: str
    """The alternative text: every number of the figure."""
    svg: str


def pictures(summary: Summary) -> list[Picture]:
    """Return the figures of a report; the reliability diagram only where there is one."""
    found = [_families(summary.families, summary.k), _worth(summary.worth)]
    if summary.calibration:
        found.append(_reliability(summary.calibration))
    return found


def _families(families: Sequence[FamilyScore], k: int) -> Picture:
    figure, axes = _axes(height=0.8 + 0.3 * len(families))
    for place, one in enumerate(reversed(families)):
        found = one.pass_hat_k
        whole = one.passed == one.cases
        colour, mark = (_GOOD, "o") if whole else (_BAD, "X")
        axes.plot([found.low, found.high], [place, place], color=colour, linewidth=2, solid_capstyle="round")
        axes.plot([found.estimate], [place], mark, color=colour, markersize=6 if whole else 8)
    axes.set_yticks(range(len(families)), [_short(one.family) for one in reversed(families)])
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.6, len(families) - 0.4)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    words = "; ".join(f"{one.family}: {between(one.pass_hat_k)}, {one.cases} cases" for one in families)
    runs = f"all of {k} runs of a case pass" if k > 1 else "a case passes"
    return Picture(
        title="Reliability by family",
        caption=f"How often {runs}. Marks are estimates, lines 95 % intervals; a cross where a case failed.",
        words=words,
        svg=_svg(figure, "families"),
    )


def _worth(worth: Worth) -> Picture:
    rows = plain_policies(worth)
    figure, axes = _axes(height=0.7 + 0.42 * len(rows))
    values = [value / 1_000_000 for _, value in rows]
    bars = axes.barh(range(len(rows)), values[::-1], height=0.55, color=[*[_MUTED] * (len(rows) - 1), _PLAIN])
    axes.axvline(0, color=_INK, linewidth=1)
    axes.set_yticks(range(len(rows)), [name for name, _ in reversed(rows)])
    axes.bar_label(
        bars,
        [f"{value:+.3f}".replace("-", _MINUS) for value in values[::-1]],
        padding=4,
        color=_INK,
        fontsize=10,
    )
    axes.margins(x=0.22)
    axes.set_xlabel(f"{worth.currency} per decision")
    return Picture(
        title="Net value beside plain policies",
        caption="Mean worth of a decision. Where writing to everybody does well, a suite is too easy.",
        words="; ".join(f"{name}: {money(value, worth.currency)} per decision" for name, value in rows),
        svg=_svg(figure, "worth"),
    )


def _reliability(calibration: Calibration) -> Picture:
    figure, axes = _axes(height=3.6)
    axes.plot([0, 1], [0, 1], color=_MUTED, linewidth=1, linestyle=(0, (4, 4)))
    for one in calibration.bins:
        axes.plot([one.forecast] * 2, [one.came.low, one.came.high], color=_PLAIN, linewidth=2)
        axes.plot([one.forecast], [one.came.estimate], "o", color=_PLAIN, markersize=6)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.grid(visible=True, axis="both", color=_GRID, linewidth=0.8)
    axes.set_xlabel("forecast probability of a contact")
    axes.set_ylabel("share that came")
    return Picture(
        title="Do the probabilities come true?",
        caption=(
            f"On the dashed line they do; lines are 95 % intervals. Brier score {calibration.brier:.3f}, "
            f"calibration error {calibration.error:.3f}, {calibration.n} cases in bins of equal size."
        ),
        words="; ".join(
            f"forecast {percent(one.forecast)}, came {between(one.came)}" for one in calibration.bins
        ),
        svg=_svg(figure, "reliability"),
    )


def _axes(*, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    axes: Axes = figure.subplots()
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_GRID)
    axes.tick_params(colors=_INK, length=0, labelsize=10)
    axes.xaxis.label.set_color(_INK)
    axes.yaxis.label.set_color(_INK)
    axes.grid(visible=True, axis="x", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.patch.set_visible(False)
    return figure, axes


def _svg(figure: Figure, name: str) -> str:
    """Return a figure as an `svg` element: no metadata, no address, ids of its own, the page's colours."""
    text = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name, "font.family": "sans-serif"}):
        figure.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    drawn = _NAMES.sub("", _DROPPED.sub("", text.getvalue()))
    drawn = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", drawn)
    for stand_in, colour in _COLOURS.items():
        drawn = drawn.replace(stand_in, colour)
    return (
        _SIZE.sub(r"\1\2", drawn, count=1)
        .replace("<svg", '<svg aria-hidden="true" focusable="false" class="figure"', 1)
        .strip()
    )


def _short(name: str) -> str:
    longest = 34
    return name if len(name) <= longest else f"{name[: longest - 1]}…"
