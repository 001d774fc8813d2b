"""Estimates for partial output: answers of which the ledger has only a lower bound.

A client that is told of an answer while it streams may never write down what it was billed for in
the end. What such an answer took of the next prompt, or else what it shows, tells more. Estimates
always stand apart from what was billed.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, Literal

from msgspec import Struct

from token_tracking.efficiency.attribution import Attribution, Conversation, Entry, Message
from token_tracking.efficiency.attribution.sizes import Sizes
from token_tracking.efficiency.scale import ScaleOf, scales
from token_tracking.shares import Facts, quarter_of
from token_tracking.usage import SYNTHETIC_MODEL

Method = Literal["growth", "visible", "none"]


class PartialEstimate(Struct, frozen=True, kw_only=True):
    """What an answer without a final count is estimated to have been billed for beyond its
    recorded output.

    `at` is in milliseconds since 1970 UTC. `tokens_more` is never below 0, as the record is a
    lower bound, and `None` where nothing tells (`method` is `none`). `pico_more` is its price in
    pico-USD, `None` where no price is known. `method` is `growth` where the prompt of the next
    request tells, `visible` where only its own text, thinking and tool calls do. `error_p95` is
    the relative error of the whole answer in 95 of 100 answers (0.5 is 50%), where it was measured.
    """

    key: str
    at: int
    tokens_more: int | None
    pico_more: int | None
    method: Method
    error_p95: float | None


CALL_TOKENS: Final = 50
"""What a tool call takes besides its arguments, in tokens of o200k_base: the name and the form of
a call. The median answer with one call and no thinking was billed for 61 tokens more than its
bytes make where a token of o200k_base stands for 1.12, and for 73 where it stands for 1.54."""

ERROR_P95: Final[dict[Method, float | None]] = {"growth": 0.50, "visible": 0.84, "none": None}
"""Relative errors of 755 final answers (of Claude Code 2.0.76 to 2.1.119, January to April 2026,
most of Opus 4.6 and 4.7) whose counts were hidden: `python -m benchmarks.partial TREE`. By growth,
of 497: median 2.9%, and their sum was 8.4% too high, since what no line shows counts as answer. By
what is visible, of 258: median 16%, and their sum was 27% too low, since most of them left their
thinking out. All together: median 6.2%, p95 71%, and their sum was 0.9% too high."""


def partial_estimates(
    conversation: Conversation, attribution: Attribution, scale_of: ScaleOf | None = None
) -> list[PartialEstimate]:
    """An estimate for each of a session's own answers that has no final count, in order of time.

    `scale_of` says how a model's tokens relate to bytes: by default what is known of its family.
    """
    partial = list(_partial(conversation))
    if not partial:
        return []
    sizes = _AnswerSizes(conversation.entries, attribution, scale_of or scales())
    return sorted(map(sizes.estimate, partial), key=lambda each: (each.at, each.key))


def partial_facts(estimates: Iterable[PartialEstimate]) -> dict[int, Facts]:
    """The estimates as facts, by quarter of an hour. What cannot be estimated adds nothing: the
    ledger's partial messages beyond these have no estimate."""
    facts: defaultdict[int, Facts] = defaultdict(Facts)
    for each in estimates:
        if each.tokens_more is not None:
            facts[quarter_of(each.at)] += Facts(
                partial_messages=1,
                partial_tokens=each.tokens_more,
                partial_pico=each.pico_more or 0,
            )
    return dict(facts)


def _partial(conversation: Conversation) -> Iterator[Message]:
    for message in conversation.messages:
        if message.is_own and not message.is_final and message.model != SYNTHETIC_MODEL:
            yield message


class _AnswerSizes:
    """What is known of the sizes of a session's answers."""

    def __init__(
        self, entries: Iterable[Entry], attribution: Attribution, scale_of: ScaleOf
    ) -> None:
        self._sizes = Sizes(scale_of)
        self._scale_of = scale_of
        self._implied = attribution.implied_outputs
        self._calls: Counter[str] = Counter()
        self._after: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            if entry.call is not None:
                self._calls[entry.call] += 1
            if entry.after is not None and entry.bytes is not None:
                self._after[entry.after].append(entry)

    def estimate(self, message: Message) -> PartialEstimate:
        """How much more than its record an answer is."""
        method, tokens = self._whole(message)
        more = None if tokens is None else max(0, tokens - message.usage.output_tokens)
        rates = message.rates
        return PartialEstimate(
            key=message.key,
            at=message.at,
            tokens_more=more,
            pico_more=None if more is None or rates is None else more * rates.output,
            method=method,
            error_p95=ERROR_P95[method],
        )

    def _whole(self, message: Message) -> tuple[Method, int | None]:
        """By what an answer is known best, and its tokens."""
        shown = self._shown(message)
        implied = self._implied.get(message.key)
        # What else entered is only estimated, and that error falls on the answer: beside more than
        # the answer shows, what it shows is the better estimate.
        if implied is not None and (not shown or self._entered(message) <= shown):
            return "growth", implied
        return ("visible", shown) if shown else ("none", None)

    def _shown(self, message: Message) -> int:
        size = self._sizes.of_bytes(message.visible_bytes + message.thinking_bytes, message.model)
        calls = self._calls[message.key]
        if not calls:
            return size
        return size + self._scale_of(message.model).tokens(calls * CALL_TOKENS)

    def _entered(self, message: Message) -> int:
        """Estimated tokens of what else entered after it."""
        entries = self._after.get(message.key, ())
        return sum(self._sizes.of_entry(entry, message.model) for entry in entries)
