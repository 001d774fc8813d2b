"""A chain of lines: each names its parent, and all share a session's envelope."""

import random
from dataclasses import dataclass, field

from benchmarks.generator.filler import Filler, iso

Line = dict[str, object]


@dataclass(frozen=True)
class Envelope:
    """What every line of a session repeats about it."""

    session_id: str
    cwd: str
    branch: str
    version: str
    entrypoint: str | None = None
    agent_id: str | None = None

    def head(self) -> Line:
        """The fields in front of a line's own."""
        return {
            "isSidechain": self.agent_id is not None,
            "userType": "external",
            "cwd": self.cwd,
            "sessionId": self.session_id,
            "version": self.version,
            "gitBranch": self.branch,
            **({"agentId": self.agent_id} if self.agent_id else {}),
        }


@dataclass
class Chain:
    """The lines written so far, the newest parent, and the clock (milliseconds since 1970)."""

    rng: random.Random
    filler: Filler
    envelope: Envelope
    clock: int
    parent: str | None = None
    lines: list[Line] = field(default_factory=list[Line])

    def wait(self, milliseconds: float) -> None:
        """Let about this much time pass."""
        self.clock += max(1, int(self.rng.expovariate(1 / milliseconds)))

    def add(self, fields: Line, *, parent: str | None = None, moves: bool = True) -> str:
        """Append a line of the chain and return its uuid; `moves` makes it the next parent."""
        uuid = self.filler.uuid()
        self.clock += self.rng.randrange(1, 40)
        line: Line = {"parentUuid": parent or self.parent, **self.envelope.head(), **fields}
        line["uuid"] = uuid
        line["timestamp"] = iso(self.clock)
        if self.envelope.entrypoint:
            line["entrypoint"] = self.envelope.entrypoint
        self.lines.append(line)
        if moves:
            self.parent = uuid
        return uuid

    def add_loose(self, fields: Line) -> None:
        """Append a line that stands outside the chain: it has no uuid and no parent."""
        self.lines.append(fields)

    def user(self, content: object, **more: object) -> str:
        """Append a user's line."""
        return self.add({"type": "user", "message": {"role": "user", "content": content}, **more})

    def system(self, subtype: str, **more: object) -> str:
        """Append a system line, such as `turn_duration`."""
        return self.add({"type": "system", "subtype": subtype, **more, "isMeta": False})

    def progress(self, data: Line, tool_use_id: str, label: str) -> None:
        """Append a progress line of a tool use that still runs."""
        fields: Line = {"type": "progress", "data": data, "toolUseID": label}
        self.add({**fields, "parentToolUseID": tool_use_id})
