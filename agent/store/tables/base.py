"""What every table shares: a name derived from its class, and one schema version.

JSON is kept as canonical text, so that a hash over it means the same on every database.
"""

import re
from typing import Final

from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

SCHEMA_VERSION: Final = 7


class Named(SQLModel):
    """Base of the tables: `LlmCallRow` is kept in `llm_call`."""

    @declared_attr.directive
    def __tablename__(cls) -> str:  # type: ignore[explicit-override]  # noqa: N805  # pyright: ignore[reportIncompatibleVariableOverride]  # SQLAlchemy's form
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__.removesuffix("Row")).lower()


class Meta(Named, table=True):
    """Facts about this database, such as its schema version."""

    key: str = Field(primary_key=True)
    value: str
