"""Models that know what their fields mean, and look it up only when somebody asks.

pydantic's own `use_attribute_docstrings` parses the source of every model while it is imported; each command
would wait a tenth of a second for words that only mistakes and schemas show.
"""

import ast
import inspect
import textwrap
from functools import cache
from itertools import pairwise

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from typing_extensions import override


class Described(BaseModel):
    """Base of models whose JSON Schema says what each field means, in the words of its docstring."""

    @classmethod
    @override
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> JsonSchemaValue:
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, words in field_meanings(cls).items():
            if name in properties:
                properties[name].setdefault("description", words)
        return schema


@cache
def field_meanings(model: type[BaseModel]) -> dict[str, str]:
    """Return what a model's fields mean by name: their descriptions, else their docstrings.

    Fields that say neither are left out, and docstrings where the source cannot be read.
    """
    meanings: dict[str, str] = {}
    for parent in reversed(model.__mro__):
        if parent is not BaseModel and issubclass(parent, BaseModel):
            meanings |= _written_in(parent)
    named = {name: field.description or meanings.get(name) for name, field in model.model_fields.items()}
    return {name: words for name, words in named.items() if words}


def _written_in(model: type[BaseModel]) -> dict[str, str]:
    try:
        source = textwrap.dedent(inspect.getsource(model))
    except (OSError, TypeError):
        return {}
    meanings: dict[str, str] = {}
    (made,) = ast.parse(source).body
    for before, after in pairwise(made.body if isinstance(made, ast.ClassDef) else ()):
        match before, after:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str() as words)),
            ):
                meanings[name] = inspect.cleandoc(words)
            case _:
                pass
    return meanings
