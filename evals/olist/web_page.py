"""The suite as one HTML file that loads nothing, in the style of the other evaluation reports."""

from evals.gate import GateAnswer, Standing
from evals.olist.report import notices_words, verdict_words
from evals.olist.suite import OlistScore
from evals.report.web_page import page_environment, page_text


def olist_page(score: OlistScore, answer: GateAnswer | None) -> str:
    """Return the page."""
    return (
        page_environment()
        .get_template("olist.html.j2")
        .render(
            score=score,
            answer=answer,
            good=answer is None or answer.standing is Standing.HELD,
            verdict=verdict_words(score),
            advantages=[notices_words(one) for one in score.advantages],
            tables=[
                ("All orders", score.everything),
                (f"The later half, promised after {score.later_from}", score.later),
            ],
            style=page_text("page.css"),
        )
    )
