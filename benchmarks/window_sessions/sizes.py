"""Tokens of each block, so that base and blocks add up to what was billed.

Between two requests the prompt grew by a billed amount: the answer takes its billed output, the
rest is shared among what entered, in proportion to characters.
"""

from collections import defaultdict
from collections.abc import Iterable
from statistics import median
from typing import Any, Final

import msgspec

from benchmarks.window_sessions.blocks import Fields, inner_blocks
from benchmarks.window_sessions.steps import Step

_TOKENS_A_CHARACTER: Final = 0.35
"""For a model with few samples: the median of 1,200 tool results of real sessions, by their bills
(0.34 to 0.37 up to version 4.6, 0.45 for 4.7)."""

_LEAST_SAMPLES: Final = 8
_LEAST_GROWTH: Final = 50
"""Tokens: what is smaller says more about the frames of blocks than about characters."""

_FRAME: Final = 4
"""Tokens of a block beside its text."""

_IMAGE: Final = 1500
"""Tokens of an image: at most width times height over 750, and images are made smaller first."""

_SIGNATURE: Final = (150, 1.65)
"""Characters of a signature are 150, and 1.65 for each character of thinking: so it is in
transcripts that show both."""

_LEAST_SHARE: Final = 0.3
"""Of the tokens by characters: where a prompt grew by less, something else left it."""

_REPAID: Final = 0.2
"""How much smaller than billed a block may be made, to repay what earlier estimates were over."""


class Scales:
    """Tokens a character, of each model, learned from growth that only what entered explains."""

    def __init__(self, steps: Iterable[Step]) -> None:
        samples: defaultdict[str, list[float]] = defaultdict(list)
        for step in steps:
            growth, length = _clean_growth(step)
            if growth > _LEAST_GROWTH and length > _LEAST_GROWTH:
                samples[step.model].append(growth / length)
        self._scales = {
            model: median(each) for model, each in samples.items() if len(each) >= _LEAST_SAMPLES
        }

    def weights(self, blocks: Iterable[Fields], model: str) -> list[float]:
        """Tokens of blocks by their characters."""
        scale = self._scales.get(model, _TOKENS_A_CHARACTER)
        return [characters(block) * scale + flat_tokens(block) + _FRAME for block in blocks]


def _clean_growth(step: Step) -> tuple[int, int]:
    """Tokens and characters that entered, where the answer before is final; else zeros."""
    before = None if step.parent is None else step.parent.billed
    if step.billed is None or before is None or not before.is_final:
        return 0, 0
    if any(map(flat_tokens, step.user)):
        return 0, 0
    growth = step.billed.usage.prompt_tokens - before.usage.prompt_tokens
    growth -= before.usage.output_tokens + _FRAME * len(step.user)
    return growth, sum(map(characters, step.user))


def characters(block: Fields) -> int:
    """Characters of a block that count as text, those of thinking that is not shown included."""
    kind = block.get("type")
    if kind == "tool_use":
        return len(str(block.get("name"))) + len(msgspec.json.encode(block.get("input")))
    if kind == "tool_result":
        return sum(map(characters, inner_blocks(block)))
    if kind == "thinking" and not block.get("thinking"):
        return int(max(0, len(str(block.get("signature") or "")) - _SIGNATURE[0]) / _SIGNATURE[1])
    if kind in {"image", "document"}:
        return 0
    shown: Any = block.get("text") or block.get("thinking") or block.get("data")
    return len(shown) if isinstance(shown, str) else len(msgspec.json.encode(block))


def flat_tokens(block: Fields) -> int:
    """Tokens of images and documents, whatever their bytes."""
    kind = block.get("type")
    if kind == "tool_result":
        return sum(map(flat_tokens, inner_blocks(block)))
    return _IMAGE if kind in {"image", "document"} else 0


def shared(total: float, weights: list[float]) -> list[int]:
    """Whole tokens in proportion to weights: together `total`, but at least one each."""
    left, weight = max(round(total), len(weights)), sum(weights)
    parts: list[int] = []
    for index, each in enumerate(weights):
        others = len(weights) - index - 1
        part = round(left * each / weight) if weight > 0 else left // (others + 1)
        parts.append(max(1, min(part, left - others)))
        left -= parts[-1]
        weight -= each
    return parts


class Sizes:
    """Gives every step its tokens, parents first; `base` of a conversation is by its first step."""

    def __init__(self, scales: Scales) -> None:
        self._scales = scales
        self._prompts: dict[Step, int] = {}
        self._roots: dict[Step, Step] = {}
        self.base: dict[Step, int] = {}

    def root(self, step: Step) -> Step:
        """The first step of the conversation."""
        return self._roots[step]

    def conversation_tokens(self, step: Step) -> int:
        """What the conversation of a step holds beside its base."""
        return self._prompts[step]

    def billed_before(self, step: Step) -> int:
        """Prompt tokens of the nearest earlier request; 0 where there is none."""
        billed = (each.billed for each in step.ancestors())
        return next((each.usage.prompt_tokens for each in billed if each), 0)

    def by_characters(self, step: Step) -> float:
        """The whole prompt of a step, what is new in it by its characters."""
        parent = step.parent
        known = self._known(parent)
        if parent is not None:
            known += sum(self._answer_weights(parent))
        return known + sum(self._scales.weights(step.user, step.model))

    def _known(self, parent: Step | None) -> int:
        if parent is None:
            return 0
        return self._prompts[parent] + self.base.get(self._roots[parent], 0)

    def _answer_weights(self, step: Step) -> list[float]:
        return self._scales.weights(step.answer, step.model)

    def give(self, step: Step) -> None:
        """Estimate the answer before a step and what entered with it."""
        parent = step.parent
        self._roots[step] = step if parent is None else self._roots[parent]
        weights = self._scales.weights(step.user, step.model)
        total, answer = sum(weights), 0
        if parent is not None:
            answer, total = self._grown(step, parent, total)
        billed = step.billed
        if billed is not None and self._roots[step] not in self.base:
            total = self._open(step, billed.usage.prompt_tokens, total, answer)
        step.user_tokens = shared(total, weights)
        before = 0 if parent is None else self._prompts[parent]
        self._prompts[step] = before + answer + sum(step.user_tokens)

    def _open(self, step: Step, billed: int, total: float, answer: int) -> float:
        """Take as base what the first billed prompt holds beside its blocks."""
        before = answer + (0 if step.parent is None else self._prompts[step.parent])
        total = min(total, max(0, billed - before))
        self.base[self._roots[step]] = max(0, round(billed - before - total))
        return total

    def _grown(self, step: Step, parent: Step, total: float) -> tuple[int, float]:
        """Tokens of the answer before, and of all that entered since, given those by characters."""
        weights = self._answer_weights(parent)
        grown, missing = self._growth(step, parent)
        output = 0 if parent.billed is None else parent.billed.usage.output_tokens
        is_final = parent.billed is not None and parent.billed.is_final
        answer = float(output) if is_final else max(float(output), sum(weights))
        if grown is not None and not is_final and grown > output:
            answer = max(output, grown * answer / (answer + total))
        if not parent.answer_tokens:
            parent.answer_tokens = answer_tokens(answer, parent.answer, weights)
        answer = sum(parent.answer_tokens)
        if grown is None or grown - answer < _LEAST_SHARE * total:
            return answer, total
        entered = grown - answer
        return answer, max(entered + missing, entered * (1 - _REPAID))

    def _growth(self, step: Step, parent: Step) -> tuple[int | None, int]:
        """Tokens that a prompt grew by, and how many the estimates before it are short of; `None`
        where one of the two was not billed."""
        if step.billed is None or parent.billed is None or self._roots[parent] not in self.base:
            return None, 0
        before = parent.billed.usage.prompt_tokens
        return step.billed.usage.prompt_tokens - before, before - self._known(parent)


def answer_tokens(total: float, blocks: list[Fields], weights: list[float]) -> list[int]:
    """The tokens of an answer by blocks; thinking that is not shown takes what the others leave."""
    hidden = [block.get("type") == "thinking" and not block.get("thinking") for block in blocks]
    seen = sum(weight for weight, is_hidden in zip(weights, hidden, strict=True) if not is_hidden)
    rest = total - seen
    unseen = sum(weights) - seen
    if rest > 0 and unseen > 0:
        weights = [
            weight * rest / unseen if is_hidden else weight
            for weight, is_hidden in zip(weights, hidden, strict=True)
        ]
    return shared(total, weights)
