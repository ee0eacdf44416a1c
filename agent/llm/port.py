"""The model port: three questions, typed answers."""

from typing import Protocol

from agent.domain.model import (
    Answer,
    AssessRequest,
    ComposeRequest,
    Composition,
    Reading,
    ReadRequest,
    Step,
)


class Model(Protocol):
    """Something that reads situations and writes prose. Failures are `ModelError`."""

    @property
    def name(self) -> str:
        """The model's name as decisions record it; `rules` is the offline rules model."""
        ...

    async def read(self, request: ReadRequest) -> Answer[Reading]:
        """Read texts by strangers in quarantine."""
        ...

    async def assess(self, request: AssessRequest) -> Answer[Step]:
        """Take the next step of judging a situation."""
        ...

    async def compose(self, request: ComposeRequest) -> Answer[Composition]:
        """Write a text with slots."""
        ...

    async def aclose(self) -> None:
        """Close its connections, in the event loop that used them; nothing can be asked afterwards."""
        ...
