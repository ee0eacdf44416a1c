"""Draws the JSON Schema of datasets from their models; `python -m evals.schema.draw` writes it."""

import json
from pathlib import Path
from typing import Any, Final

from evals.cases.model import Dataset

SCHEMA_FILE: Final = Path(__file__).with_name("case.schema.json")


def schema_text() -> str:
    """Return the schema as it stands in its file."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Dataset.model_json_schema(mode="validation"),
    }
    return json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), "utf-8")
