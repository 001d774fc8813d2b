"""What every policy is."""

from typing import Protocol, runtime_checkable

from token_tracking.window.draft import Draft


@runtime_checkable
class Policy(Protocol):
    """One way to keep a conversation small. It keeps nothing of a conversation itself, so that one
    serves many windows: what it has to remember is in `Draft.memory`."""

    @property
    def name(self) -> str:
        """How it is called in actions."""
        ...

    async def shape(self, draft: Draft) -> None:
        """Change the next request where that is called for, and say so with `Draft.note`."""
        ...
