"""One agent at work: it reads files, searches, edits with what it read, and tells of names."""

import random
from dataclasses import dataclass, field
from math import log
from typing import Any, Final

from benchmarks.generator.billing import usage_fields
from benchmarks.generator.chain import Chain
from benchmarks.window_replay.reuse_sources import (
    CHARACTERS_A_TOKEN,
    EDITS,
    OUTPUT,
    READ,
    READS,
    File,
    drawn_distance,
    names_in,
)
from token_tracking.window.prompt_cache import LIFETIMES_MS

MODEL: Final = "claude-opus-4-6"
FULL: Final = 170_000
"""Prompt tokens at which the session ends: clients compact about there."""

TOOLS: Final = {"Bash": 33, "Read": 13, "Reread": 12, "Edit": 22, "Grep": 10, "Write": 4}
"""In hundredths, as in 18 real sessions; half of the reads were of files read before."""

_THINKING_MS, _THINKING_SPREAD = 7_000, 1.2
_PAUSE_MS, _PAUSE_SPREAD = 180_000, 1.9
"""Between requests, and before a turn: log-normal, by median and sigma, so that 3% of the gaps
outlive five minutes and 0.5% an hour, as in the real sessions."""

_SYSTEM_TOKENS: Final = 14_000
"""What survives a lapsed cache."""


@dataclass
class Agent:
    """A session as it grows. Tokens are by characters."""

    rng: random.Random
    chain: Chain
    sources: list[tuple[str, list[str]]]
    prompt: int
    hour: bool
    files: list[File] = field(default_factory=list[File])
    told: list[tuple[int, list[str]]] = field(default_factory=list[tuple[int, list[str]]])
    """The names in each result, by round."""
    round: int = 0
    _cached: int = 0
    _sent_at: int = 0

    @property
    def is_full(self) -> bool:
        """Whether a client would compact it now."""
        return self.prompt > FULL

    def turn(self, requests: int) -> None:
        """The user asks; so many requests, of which the last has no call."""
        self._wait(_PAUSE_MS, _PAUSE_SPREAD)
        path, _ = self.rng.choice(self.sources)
        asked = f"Look into {path}: {self._sentence(2)}"
        self.chain.user(asked)
        self._enter(asked)
        for left in reversed(range(requests)):
            if self.is_full:
                break
            self._request(has_call=left > 0)

    def _request(self, *, has_call: bool) -> None:
        self.round += 1
        self._wait(_THINKING_MS, _THINKING_SPREAD)
        blocks: list[dict[str, Any]] = []
        if not has_call or self.rng.random() < 0.4:
            words = self._sentence(self.rng.randint(2, 5) if not has_call else 1)
            blocks.append({"type": "text", "text": words})
        call, result = self._call() if has_call else (None, "")
        if call is not None:
            name = self.chain.filler.api_id("toolu")
            blocks.append({"type": "tool_use", "id": name, **call})
        self._answer(blocks, is_end=call is None)
        if call is not None:
            content = {"type": "tool_result", "tool_use_id": blocks[-1]["id"], "content": result}
            self.chain.wait(2_000)
            self.chain.user([content])
            self._enter(result)
            self.told.append((self.round, names_in(result)))

    def _answer(self, blocks: list[dict[str, Any]], *, is_end: bool) -> None:
        characters = sum(len(str(block)) for block in blocks)
        output = 30 + int(characters / CHARACTERS_A_TOKEN)
        message = {
            "id": self.chain.filler.api_id("msg"),
            "type": "message",
            "role": "assistant",
            "model": MODEL,
            "content": blocks,
            "stop_reason": "end_turn" if is_end else "tool_use",
            "usage": self._usage(output),
        }
        request = self.chain.filler.api_id("req")
        self.chain.add({"type": "assistant", "message": message, "requestId": request})
        self.prompt += output

    def _usage(self, output: int) -> dict[str, object]:
        """As billed: what was written is read, unless a pause outlived it."""
        lifetime = LIFETIMES_MS["1h" if self.hour else "5m"]
        lapsed = self.chain.clock - self._sent_at > lifetime
        read = min(_SYSTEM_TOKENS, self._cached) if lapsed else self._cached
        write = self.prompt - 3 - read
        self._cached, self._sent_at = read + write, self.chain.clock
        writes = (0, write) if self.hour else (write, 0)
        return usage_fields(3, read, *writes, output, current=True)

    def _call(self) -> tuple[dict[str, Any], str]:
        tool = self.rng.choices(list(TOOLS), list(TOOLS.values()))[0]
        if tool in ("Reread", "Edit") and not self.files:
            tool = "Read"
        name = "Read" if tool == "Reread" else tool
        given, result = getattr(self, f"_{tool.lower()}")()
        return {"name": name, "input": given}, result

    def _read(self) -> tuple[dict[str, Any], str]:
        known = {file.path for file in self.files}
        path, lines = self.rng.choice([each for each in self.sources if each[0] not in known])
        self.files.append(File(path, lines))
        return self._shown(self.files[-1])

    def _reread(self) -> tuple[dict[str, Any], str]:
        file = self._touched(drawn_distance(self.rng, READS))
        again = self.rng.choice(file.seen) if self.rng.random() < 0.5 else None
        return self._shown(file, again)

    def _shown(self, file: File, part: range | None = None) -> tuple[dict[str, Any], str]:
        part = part or file.part(self.rng, READ.characters(self.rng))
        file.seen.append(part)
        file.touched = self.round
        given = {"file_path": file.path, "offset": part.start + 1, "limit": len(part)}
        return given, file.numbered(part)

    def _edit(self) -> tuple[dict[str, Any], str]:
        """Lines of any part of the file that was read, the later ones more often."""
        file = self._touched(drawn_distance(self.rng, EDITS))
        part = self.rng.choices(file.seen, range(1, len(file.seen) + 1))[0]
        start = self.rng.choice(part)
        old = file.lines[start : min(part.stop, start + self.rng.randint(2, 8))]
        new = [*old, f"{' ' * 8}# step {self.round}", *old[: self.rng.randint(0, 3)]]
        file.touched = self.round
        given = {"file_path": file.path, "old_string": "\n".join(old), "new_string": "\n".join(new)}
        return given, f"The file {file.path} has been updated."

    def _write(self) -> tuple[dict[str, Any], str]:
        path, lines = self.rng.choice(self.sources)
        file = File(path.replace(".py", f"_{self.round}.py"), lines, touched=self.round)
        file.seen.append(file.part(self.rng, 4 * READ.characters(self.rng) // 3))
        self.files.append(file)
        body = "\n".join(lines[file.seen[0].start : file.seen[0].stop])
        return {"file_path": file.path, "content": body}, f"File created: {file.path}"

    def _grep(self) -> tuple[dict[str, Any], str]:
        names = self._names(1) or ["return"]
        room, found = OUTPUT.characters(self.rng), list[str]()
        for path, lines in self.rng.sample(self.sources, 20):
            number = self.rng.randrange(len(lines))
            line = f"{path}:{number + 1}:{lines[number]}"
            room -= len(line)
            found.append(line)
            if room < 0:
                break
        return {"pattern": names[0], "path": "/home/sam/cpython/Lib"}, "\n".join(found)

    def _bash(self) -> tuple[dict[str, Any], str]:
        names = self._names(self.rng.randint(0, 1)) or ["all"]
        room, found = OUTPUT.characters(self.rng), list[str]()
        while room > 0:
            _, lines = self.rng.choice(self.sources)
            line = f"{self.rng.random():.4f}s {self.rng.choice(lines).strip()}"
            room -= len(line) + 1
            found.append(line)
        return {"command": f"python -m unittest -k {names[0]}"}, "\n".join(found)

    def _touched(self, distance: int) -> File:
        """The file whose last touch is nearest to so many rounds back."""
        return min(self.files, key=lambda file: abs(self.round - file.touched - distance))

    def _names(self, count: int) -> list[str]:
        """Names out of results, as far back as edits reach."""
        found: list[str] = []
        for _ in range(count):
            back = drawn_distance(self.rng, EDITS)
            near = min(self.told, key=lambda each: abs(self.round - each[0] - back), default=None)
            if near is not None and near[1]:
                found.append(self.rng.choice(near[1]))
        return found

    def _sentence(self, names: int) -> str:
        return f"This is about {', '.join(self._names(names)) or 'the whole'}; then on to the rest."

    def _enter(self, text: str) -> None:
        self.prompt += int(len(text) / CHARACTERS_A_TOKEN) + 4

    def _wait(self, median_ms: int, spread: float) -> None:
        self.chain.clock += int(self.rng.lognormvariate(log(median_ms), spread))
