"""`outrider eval --suite olist` on small files of the same form: figures, gate, page, where it is skipped."""

import json
import shutil
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from evals.command import add_to
from policies.loader import PLAYBOOK_FOLDER
from tools.errors import InputError

START = datetime(2018, 1, 1, 9)  # noqa: DTZ001  # as the files have it
DAY = timedelta(days=1)


def outrider(*arguments: str) -> Result:
    app = typer.Typer()
    app.command("other")(lambda: None)
    add_to(app)
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, ["eval", "--suite", "olist", *arguments])


def write(path: Path, rows: list[dict[str, object]]) -> None:
    pyarrow: Any = import_module("pyarrow")
    parquet: Any = import_module("pyarrow.parquet")
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ninety orders; those that come a day late end in a complaint, so the last day tells them best."""
    folder = tmp_path / "data" / "olist"
    folder.mkdir(parents=True)
    orders: list[dict[str, object]] = []
    for number in range(90):
        bought = START + number * DAY
        days = (6, 8, 11)[number % 3]  # promised for day 10
        orders.append(
            {
                "order_id": f"o{number}",
                "customer_id": f"c{number}",
                "order_status": "delivered",
                "order_purchase_timestamp": bought,
                "order_approved_at": bought,
                "order_delivered_carrier_date": bought + DAY,
                "order_delivered_customer_date": bought + days * DAY,
                "order_estimated_delivery_date": bought.replace(hour=0) + 10 * DAY,
            }
        )
    late = [number for number in range(90) if number % 3 == 2]
    write(folder / "olist_orders.parquet", orders)
    write(
        folder / "olist_customers.parquet",
        [
            {
                "customer_id": f"c{number}",
                "customer_unique_id": f"p{number}",
                "customer_state": "SP",
                "customer_zip_code_prefix": "01310",
            }
            for number in range(90)
        ],
    )
    write(
        folder / "olist_order_payments.parquet",
        [{"order_id": f"o{number}", "payment_value": 12.5} for number in range(90)],
    )
    write(
        folder / "olist_order_reviews.parquet",
        [
            {
                "order_id": f"o{number}",
                "review_score": 1 if number in late else 5,
                "review_creation_date": START + (number + 12) * DAY,
                "review_answer_timestamp": START + (number + 14) * DAY,
            }
            for number in range(90)
        ],
    )
    write(
        folder / "olist_order_items.parquet",
        [
            {"order_id": f"o{number}", "seller_id": f"s{number % 4}", "shipping_limit_date": START}
            for number in range(90)
        ],
    )
    write(folder / "olist_sellers.parquet", [{"seller_id": f"s{n}", "seller_state": "SP"} for n in range(4)])
    monkeypatch.setenv("OUTRIDER_DATA_DIR", str(folder.parent))
    return folder


@pytest.mark.usefixtures("files")
def test_the_figures_the_interval_and_the_later_half_are_told() -> None:
    done = outrider()

    assert done.exit_code == 0, done.output
    assert "no worse than the rule at the same number of notices" in done.stdout
    assert "Gate held" in done.stdout
    assert "The later half, promised after 2018-02-" in done.stdout
    assert "needless per 1,000" in done.stdout
    assert "lead, days" in done.stdout


@pytest.mark.usefixtures("files")
def test_scripts_get_the_same_as_json() -> None:
    form = json.loads(outrider("--json").stdout)

    rule, shipped, _ = form["all"]
    assert form["suite"] == "olist"
    assert form["ok"] is True
    # of the late ones the playbook reaches all on the last day and writes to nobody else
    assert (shipped["notices"], shipped["reached"], shipped["needless_per_thousand"]) == (30, 1, 0)
    assert rule["notices"] == 60
    assert form["advantages"][0]["low"] > 0
    assert form["gates"][0]["gate"] == "olist.least"


@pytest.mark.usefixtures("files")
def test_a_decision_that_is_worse_than_the_rule_breaks_the_gate(tmp_path: Path) -> None:
    shutil.copytree(PLAYBOOK_FOLDER, tmp_path / "policies")
    playbook = tmp_path / "policies" / "shop" / "shipping_delay.yaml"
    text = playbook.read_text("utf-8").replace("notice_before: 1d", "notice_before: 9d")
    playbook.write_text(text, "utf-8")

    done = outrider("--policies", str(tmp_path / "policies"))

    assert done.exit_code == 1, done.output
    assert "Gate broken" in done.stdout
    assert "not shown to be as good as the rule" in done.stdout


@pytest.mark.usefixtures("files")
def test_without_a_gate_in_the_file_none_is_judged(tmp_path: Path) -> None:
    gates = tmp_path / "gate.yaml"
    gates.write_text("misses: {most: 0.1}\n", "utf-8")

    form = json.loads(outrider("--gate", str(gates), "--json").stdout)

    assert form["gates"] == []


@pytest.mark.usefixtures("files")
def test_a_page_is_written_that_loads_nothing(tmp_path: Path) -> None:
    page = tmp_path / "reports" / "olist.html"

    done = outrider("--html", str(page))

    text = page.read_text("utf-8")
    assert done.exit_code == 0, done.output
    assert "The later half" in text
    assert "olist.least" in text
    assert "default-src 'none'" in text
    assert "http" not in text.replace("http-equiv", "")


def test_where_the_files_are_absent_it_is_skipped_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTRIDER_DATA_DIR", str(tmp_path))

    said, form = outrider(), json.loads(outrider("--json").stdout)

    assert said.exit_code == 0
    assert f"Skipped olist: olist not in {tmp_path}; OUTRIDER_DATA_DIR names the folder." in said.stderr
    assert "OUTRIDER_DATA_DIR" in form["skipped"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--suite", "opt_out"), "orders, not cases"),
        (("--family", "protected"), "no --family"),
        (("--against", "baseline"), "no --against"),
    ],
)
def test_what_is_for_cases_is_refused(arguments: tuple[str, ...], problem: str) -> None:
    done = outrider(*arguments)

    assert isinstance(done.exception, InputError)
    assert problem in str(done.exception)


@pytest.mark.usefixtures("files")
def test_it_is_listed() -> None:
    rows = {row["suite"]: row for row in json.loads(outrider_list("--json").stdout)}

    assert rows["olist"]["skipped"] == ""
    assert "real orders, by itself" in outrider_list().stdout


def outrider_list(*arguments: str) -> Result:
    app = typer.Typer()
    app.command("other")(lambda: None)
    add_to(app)
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, ["eval", "--list", *arguments])
