"""What fields mean is read from their docstrings when somebody asks."""

import subprocess
import sys
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, create_model

from tests.architecture.tree import ROOT
from tools.described import Described, field_meanings
from tools.records.registry import RECORD_TYPES

T = TypeVar("T")


class Inner(Described):
    """A part."""

    depth: int
    """How deep
    it is."""
    plain: int = 0


class Outer(Inner, Generic[T]):
    """The whole."""

    inner: Inner
    """What is inside."""
    named: int = Field(default=1, description="said in the field")
    """Said below it."""
    value: T
    depth: int
    """Deeper."""


class Theirs(BaseModel):
    """As `Inner`, by pydantic's own means."""

    model_config = ConfigDict(use_attribute_docstrings=True, title="Inner")

    depth: int
    """How deep
    it is."""
    plain: int = 0


def test_meanings_come_from_docstrings_descriptions_and_parents() -> None:
    assert field_meanings(Outer[int]) == {
        "depth": "Deeper.",
        "inner": "What is inside.",
        "named": "said in the field",
    }


def test_the_schema_says_what_pydantic_would_say() -> None:
    theirs = Theirs.model_json_schema()
    whole = Outer[int].model_json_schema()

    assert Inner.model_json_schema() == {**theirs, "description": "A part."}
    assert whole["$defs"]["Inner"]["properties"]["depth"]["description"] == "How deep\nit is."
    assert whole["properties"]["inner"]["description"] == "What is inside."
    assert whole["properties"]["named"]["description"] == "said in the field"


def test_a_model_without_source_has_no_meanings() -> None:
    made = create_model("Made", __base__=Described, a=int)

    assert field_meanings(made) == {}
    assert made.model_json_schema()["properties"] == {"a": {"title": "A", "type": "integer"}}


def test_no_source_is_parsed_while_the_records_are_imported() -> None:
    probe = "import tools.records.registry, tools.described as d; print(d.field_meanings.cache_info().misses)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT)

    assert done.stdout.strip() == "0"
    assert field_meanings(RECORD_TYPES["order"])
