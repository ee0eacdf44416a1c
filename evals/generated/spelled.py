"""Hand-made cases as plain data to vary: every record named, every change a list, times as written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any, Final

from evals.cases.model import Case
from evals.cases.overlay import overlays
from evals.cases.world import OF_SCENARIO, identifying, record_id

Fields = dict[str, Any]
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Spelled:
    """A case that is about to be varied."""

    case: Case
    random: Random
    fields: Fields
    """What a file would say; belongs to this variant alone."""
    how: list[str] = field(default_factory=list[str])
    """Names what was varied, for the id."""
    told: list[str] = field(default_factory=list[str])
    """Says what was varied, for the title."""

    @property
    def expect(self) -> Fields:
        """The expected end state."""
        expect: Fields = self.fields["expect"]
        return expect

    def records(self, record_type: str) -> list[Fields]:
        """Return the records of a type at the start."""
        found: list[Fields] = self.fields["records"].get(record_type, [])
        return found

    def changes(self, record_type: str) -> Iterator[Fields]:
        """Yield what events change in records of a type."""
        for event in self.fields["events"]:
            yield from event.get("change", {}).get(record_type, [])

    def everywhere(self, record_type: str) -> list[Fields]:
        """Return the records of a type at the start and as events change them."""
        return [*self.records(record_type), *self.changes(record_type)]

    def note(self, how: str, told: str) -> None:
        """Keep what was varied."""
        self.how.append(how)
        self.told.append(told)


def spell(case: Case, random: Random) -> Spelled:
    """Return a case as plain data; the same case each time, whatever is done to the data."""
    fields = case.model_dump(mode="json", exclude_unset=True)
    if not fields.get("now"):
        fields.pop("now", None)
    fields["runs"] = length(case.runs)
    events: list[Fields] = fields.get("events", [])
    for written, event in zip(events, case.events, strict=True):
        written["after"] = length(event.after)
        if "change" in written:
            written["change"] = overlays(event.change) if event.change else {}
    fields["events"] = events
    usual = {name: [Fields()] for name in OF_SCENARIO.get(case.scenario, ())}
    fields["records"] = usual | overlays(case.world)
    return Spelled(case=case, random=random, fields=fields)


def length(of: timedelta) -> str:
    """Return a length of time as cases write it."""
    return f"{of // _SECOND}s"


def name_records(spelled: Spelled) -> None:
    """Give every record the id and the numbers that its place gave it, so that places can change."""
    for record_type, found in spelled.fields["records"].items():
        for number, values in enumerate(found, start=1):
            identifier = values.get("id") or record_id(record_type, number)
            values.update({"id": identifier} | identifying(record_type, identifier, number) | values)
        for values in spelled.changes(record_type):
            if found and "id" not in values:
                values["id"] = found[0]["id"]


def mapped(value: Any, change: Callable[[str], str]) -> Any:  # noqa: ANN401  # any plain data
    """Return plain data with every text in it changed."""
    if isinstance(value, dict):
        return {name: mapped(one, change) for name, one in value.items()}  # pyright: ignore[reportUnknownVariableType]  # plain data
    if isinstance(value, list):
        return [mapped(one, change) for one in value]  # pyright: ignore[reportUnknownVariableType]  # plain data
    return change(value) if isinstance(value, str) else value
