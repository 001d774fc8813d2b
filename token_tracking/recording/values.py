"""What a recorder did, what a drain brought, and what waits on disk."""

from msgspec import Struct


class RecorderStats(Struct, frozen=True, kw_only=True):
    """Sightings since the recorder was opened. `recorded` were given to it; of these `drained` are
    in the ledger, `waiting` are on disk or in memory, `refused` are what the ledger would not have
    (they stand in a `.bad` file of the spool), and `lost` could be written nowhere. `problem` says
    why something waits or was lost."""

    recorded: int = 0
    drained: int = 0
    waiting: int = 0
    refused: int = 0
    lost: int = 0
    problem: str | None = None


class Drained(Struct, frozen=True, kw_only=True):
    """What a drain brought into the ledger: `events` sightings from `segments` files. `refused`
    lines were garbage, or the ledger would not have them: they stand in `.bad` files of the spool.
    `torn` lines were cut short by the end of the process that wrote them, before it had recorded
    them."""

    events: int = 0
    segments: int = 0
    refused: int = 0
    torn: int = 0

    def __add__(self, other: "Drained") -> "Drained":
        return Drained(
            events=self.events + other.events,
            segments=self.segments + other.segments,
            refused=self.refused + other.refused,
            torn=self.torn + other.torn,
        )


class WaitingOnDisk(Struct, frozen=True, kw_only=True):
    """What a spool holds: sightings that wait (`events`), lines that were moved aside (`refused`),
    and segments that only a newer version can read."""

    events: int = 0
    refused: int = 0
    newer_segments: int = 0
