"""One conversation as it goes: turns, requests, tool uses and their results."""

import random
from dataclasses import dataclass, field

from benchmarks.generator.billing import Meter, Usage
from benchmarks.generator.chain import Chain, Line
from benchmarks.generator.profiles import (
    SYNTHETIC_MESSAGE,
    TURN_REQUESTS,
    USER_TEXT,
    Profile,
)
from benchmarks.generator.tool_io import result_of, tool_use

CHARACTERS_PER_TOKEN = 2.9  # of prose and code, roughly; only billed counts rest on it
SIGNATURE_PER_TOKEN = 6  # characters of a thinking signature for each hidden token, roughly

AGENT_TOOLS = ("Task", "Agent")


@dataclass(frozen=True)
class Checkpoint:
    """Where a fork can begin: after a turn."""

    lines: int
    parent: str | None
    clock: int
    cached: int


@dataclass
class Conversation:
    """Writes requests into a chain. `shrink` scales every text, not what is billed for it."""

    chain: Chain
    meter: Meter
    profile: Profile
    shrink: float = 1.0
    first_tools: list[str] = field(default_factory=list[str])
    checkpoints: list[Checkpoint] = field(default_factory=list[Checkpoint])
    agents: dict[str, list[Line]] = field(default_factory=dict[str, list[Line]])
    requests: int = 0

    @property
    def rng(self) -> random.Random:
        """The one random source of the conversation."""
        return self.chain.rng

    def characters(self, size: float) -> int:
        """A text's length here."""
        return max(1, int(size * self.shrink))

    def turn(self, limit: int) -> None:
        """A user's prompt and requests until the answer has no tool use, at most `limit`."""
        started = self.chain.clock
        words = self.chain.filler.text(self.characters(USER_TEXT.draw(self.rng)))
        self.chain.wait(120_000)
        self.enter(words)
        self.chain.user(words)
        wanted = max(TURN_REQUESTS.draw(self.rng), len(self.first_tools) + 1)
        for left in reversed(range(min(limit, max(1, wanted)))):
            self.request(tools=self._tools() if left else [])
        self._close_turn(self.chain.clock - started)

    def request(self, *, tools: list[str]) -> None:
        """One billed message: a line per content block, then the results of its tools."""
        self.requests += 1
        self.chain.wait(8_000)
        if self.meter.prompt_tokens > self.profile.compaction_tokens:
            self._compact()
        if self.rng.random() < SYNTHETIC_MESSAGE:
            self._synthetic()
            return
        blocks, output = self._blocks(tools)
        self._write_message(blocks, self.meter.bill(output, current=self.profile.cost_state))
        self.meter.entered += output

    def enter(self, text: str) -> None:
        """Count a text into the next request's prompt, as if it were not shrunk."""
        self.meter.entered += int(len(text) / CHARACTERS_PER_TOKEN / self.shrink) + 1

    def checkpoint(self) -> None:
        """Remember this place for forks."""
        place = Checkpoint(
            len(self.chain.lines), self.chain.parent, self.chain.clock, self.meter.prompt_tokens
        )
        self.checkpoints.append(place)

    def _tools(self) -> list[str]:
        if self.first_tools:
            return [self.first_tools.pop(0)]
        names, tools = list(self.profile.tools), self.profile.tools.values()
        count = 1
        while self.rng.random() < self.profile.another_tool:
            count += 1
        return self.rng.choices(names, [tool.weight for tool in tools], k=count)

    def _blocks(self, tools: list[str]) -> tuple[list[Line], int]:
        """The content blocks of a message and its output, in tokens."""
        profile, filler, blocks, output = self.profile, self.chain.filler, list[Line](), 0.0
        if self.rng.random() < profile.thinking:
            thought = filler.text(self.characters(profile.thinking_text.draw(self.rng)))
            signature = filler.text(self.characters(profile.signature.draw(self.rng)))
            shown = "" if profile.cost_state else thought
            blocks.append({"type": "thinking", "thinking": shown, "signature": signature})
            output += len(signature) / SIGNATURE_PER_TOKEN + len(shown) / CHARACTERS_PER_TOKEN
        if not tools or self.rng.random() < profile.text:
            answer = filler.text(self.characters(profile.answer.draw(self.rng)))
            blocks.append({"type": "text", "text": answer})
            output += len(answer) / CHARACTERS_PER_TOKEN
        for name in tools:
            block, characters = tool_use(self, name)
            blocks.append(block)
            output += characters / CHARACTERS_PER_TOKEN
        return blocks, 12 + 60 * len(tools) + int(output / self.shrink)

    def _write_message(self, blocks: list[Line], usage: Usage) -> None:
        message_id = self.chain.filler.api_id("msg")
        request_id = self.chain.filler.api_id("req")
        uses = sum(block["type"] == "tool_use" for block in blocks)
        reason = "tool_use" if uses else "end_turn"
        pending = list[tuple[Line, str]]()
        interleaved = uses > 1 and self.rng.random() < 0.5
        for block, (stop, output) in zip(blocks, self._sightings(blocks, usage), strict=True):
            message: Line = {"model": self.meter.model, "id": message_id, "type": "message"}
            message |= {"role": "assistant", "content": [block]}
            message |= {"stop_reason": reason if stop else None, "stop_sequence": None}
            message["usage"] = {**usage, "output_tokens": output}
            fields: Line = {"message": message, "requestId": request_id, "type": "assistant"}
            uuid = self.chain.add(fields)
            if block["type"] == "tool_use":
                if interleaved:  # off the path: the next block's parent is this line
                    result_of(self, block, uuid, moves=False)
                else:
                    pending.append((block, uuid))
        for block, uuid in pending:
            result_of(self, block, uuid, moves=True)

    def _sightings(self, blocks: list[Line], usage: Usage) -> list[tuple[bool, object]]:
        """For each line of a message: whether it has a stop_reason, and its output tokens."""
        output = usage["output_tokens"]
        final, draw = self.rng.random() < self.profile.final, self.rng.random()
        partial = self.rng.choice((1, 1, 2, 3, 8, 20, 26))
        if draw < self.profile.rising and len(blocks) > 1:
            return [(False, partial)] + [(final, output)] * (len(blocks) - 1)
        return [(final, output if final else partial)] * len(blocks)

    def _synthetic(self) -> None:
        usage: Usage = {"input_tokens": 0, "output_tokens": 0}
        usage |= {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
        message: Line = {"id": self.chain.filler.uuid(), "model": "<synthetic>", "type": "message"}
        message |= {"role": "assistant", "content": [{"type": "text", "text": "API error"}]}
        message |= {"stop_reason": "stop_sequence", "stop_sequence": "", "usage": usage}
        self.chain.add({"message": message, "type": "assistant", "isApiErrorMessage": True})

    def _compact(self) -> None:
        boundary: Line = {"type": "system", "subtype": "compact_boundary", "isMeta": False}
        metadata: Line = {"trigger": "auto", "preTokens": self.meter.prompt_tokens}
        logical = self.chain.parent
        self.chain.parent = None
        self.chain.add(
            {
                "logicalParentUuid": logical,
                **boundary,
                "content": "Conversation compacted",
                "level": "info",
                "compactMetadata": metadata,
            }
        )
        summary = self.chain.filler.text(self.characters(12_000))
        self.meter.compact(0)
        self.enter(summary)
        self.chain.user(summary, isVisibleInTranscriptOnly=True, isCompactSummary=True)

    def _close_turn(self, duration_ms: int) -> None:
        if self.rng.random() < 0.6:
            hook: Line = {"command": "check-formatting --all", "durationMs": 900}
            ends: Line = {"hookCount": 1, "hookInfos": [hook], "hookErrors": []}
            ends |= {"preventedContinuation": False, "stopReason": "", "hasOutput": True}
            self.chain.system("stop_hook_summary", **ends)
        if self.rng.random() < 0.4:
            self.chain.system("turn_duration", durationMs=duration_ms)
        self.checkpoint()
