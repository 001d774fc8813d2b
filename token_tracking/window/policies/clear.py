"""Old tool results, and the large arguments of old calls, are taken out where that pays."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct, field

from token_tracking.window.blocks import Block
from token_tracking.window.calls import call_subject
from token_tracking.window.content_store import ContentStore
from token_tracking.window.draft import Draft
from token_tracking.window.economics import Decision
from token_tracking.window.off_loop import off_loop
from token_tracking.window.placeholders import FETCH_NAME
from token_tracking.window.policies.checks import check_count, check_tools
from token_tracking.window.policies.clearable import (
    LEAST_TOKENS,
    PLACEHOLDER_TOKENS,
    is_clearable,
    is_worth_clearing,
    placeholder,
)

KEEP: Final = 4
"""Rounds: of 3, 4, 6, 8 and 12 one of the two cheapest on the replays, also where much is used
again; with 3 the dearest session was dearer."""

MANY_BLOCKS: Final = 300
MANY_CHARACTERS: Final = 200_000
"""From so many new ones on it works in a thread, off the event loop; with a store always."""

NEWEST_BLOCKS: Final = 500
"""Of a conversation that is taken over whole, the blocks whose uses are looked at: older ones are
hardly ever in use, and looking at 4 MB takes 0.2 s."""


PRIOR_REGRET: Final = 0.03
PRIOR_WEIGHT: Final = 30
"""Three in a hundred of what is cleared are taken to be asked for again, as in the replays of
`benchmarks/window.py`, until some thirty were cleared here."""


class _Memory(Struct):
    """Blocks that may be cleared one day, in order, and how many blocks were looked at. What was
    cleared, by tool and subject, and how many of it came back."""

    pending: list[Block]
    scanned: int = 0
    cleared: int = 0
    again: int = 0
    subjects: set[tuple[str | None, str | None]] = field(
        default_factory=set[tuple[str | None, str | None]]
    )

    @property
    def regret(self) -> float:
        """The share of what is cleared that is expected to be asked for again."""
        return (self.again + PRIOR_REGRET * PRIOR_WEIGHT) / (self.cleared + PRIOR_WEIGHT)


class ClearToolResults(Struct, frozen=True, kw_only=True):
    """Clears the results of all but the last `keep` rounds (an answer of the model, with the
    results of its calls).

    It waits until the break-even says that it pays, what has to be got back included (learned from
    what was asked for again here), or the budget asks for it; `is_gated=False` clears as soon as
    something can be. Results of `exclude_tools` stay, as do blocks under
    `least_tokens` tokens, and with `keep_used` those that the model still takes names from. With
    `inputs` long arguments of calls are cleared as well. What is cleared goes to `store`, if one
    is given: the model gets it back with the tool `fetch_content`.

    Raises:
        InvalidBudgetError: a number is not whole or too small, or `exclude_tools` is no set.
    """

    keep: int = KEEP
    least_tokens: int = LEAST_TOKENS
    inputs: bool = True
    keep_used: bool = True
    is_gated: bool = True
    exclude_tools: frozenset[str] = frozenset()
    store: ContentStore | None = None

    def __post_init__(self) -> None:
        check_count("keep", self.keep, least=0)
        check_count("least_tokens", self.least_tokens, least=0)
        check_tools("exclude_tools", self.exclude_tools)

    @property
    def name(self) -> str:
        """As in actions."""
        return "clear_tool_results"

    async def shape(self, draft: Draft) -> None:
        """Clear what may be cleared, if it pays."""
        memory = draft.memory(self, lambda: _Memory([]))
        new = draft.conversation.blocks[memory.scanned :]
        size = sum(len(block.text) for block in new[:MANY_BLOCKS])
        if self.store is None and len(new) < MANY_BLOCKS and size < MANY_CHARACTERS:
            self._shape(draft, memory)
        else:
            await off_loop(self._shape, draft, memory)

    def _shape(self, draft: Draft, memory: _Memory) -> None:
        self._scan(draft, memory)
        before = _rounds_start(draft, self.keep)
        found = [block for block in memory.pending if self._is_old(draft, block, before)]
        if draft.excess <= 0 and self.is_gated:
            prompt = draft.tokens
            found = [block for block in found if _is_worth(draft, memory, block, prompt)]
        if found:
            self._clear_if_it_pays(draft, memory, found)
        draft.frontier = self._frontier(draft, memory)

    def _scan(self, draft: Draft, memory: _Memory) -> None:
        blocks = draft.conversation.blocks
        if memory.scanned > len(blocks):
            memory.pending, memory.scanned = [], 0
        fresh = blocks[memory.scanned :]
        memory.pending += [block for block in fresh if self._may_clear(draft, block)]
        memory.scanned = len(blocks)
        if memory.cleared:
            memory.again += sum(_is_again(memory, block) for block in fresh)
        if self.keep_used:
            draft.uses.grow(fresh[-NEWEST_BLOCKS:])

    def _may_clear(self, draft: Draft, block: Block) -> bool:
        wanted = is_worth_clearing if self.inputs else is_clearable
        return (
            block.tokens >= self.least_tokens
            and block.tool_id is not None
            and block.tool not in self.exclude_tools
            and wanted(draft, block)
        )

    def _is_old(self, draft: Draft, block: Block, before: int) -> bool:
        return (
            block.message < before
            and draft.is_sent(block.message)
            and draft.sent_tokens(block) >= self.least_tokens
            and not (self.keep_used and draft.uses.last(block) >= before)
        )

    def _clear_if_it_pays(self, draft: Draft, memory: _Memory, found: list[Block]) -> None:
        decision = weigh(draft, found, memory.regret)
        removed = sum(draft.sent_tokens(block) - PLACEHOLDER_TOKENS for block in found)
        if self.is_gated and not decision.pays and draft.excess <= 0:
            what = f"could clear {_counted(found)}"
            draft.note(self.name, what, decision.why, removed, done=False)
            return
        draft.economics.spend(decision)
        removed = sum(self._clear(draft, memory, block) for block in found)
        why = decision.why if decision.pays else "the prompt is over its budget"
        why = why if self.is_gated else "cleared as soon as can be, as asked"
        if not removed:
            why = "what would stand in their place is no shorter"
        draft.note(self.name, f"cleared {_counted(found)}", why, removed, done=removed > 0)
        cleared = {id(block) for block in found}
        memory.pending = [block for block in memory.pending if id(block) not in cleared]

    def _clear(self, draft: Draft, memory: _Memory, block: Block) -> int:
        """Put a placeholder in a block's place; the tokens that it takes out."""
        subject = draft.subject(block)
        raw, text = placeholder(draft, block, subject, self.store)
        tokens, before = draft.sizer.text_now(text), draft.sent_tokens(block)
        if tokens >= before:
            return 0
        draft.replace(block, raw, tokens)
        memory.cleared += 1
        memory.subjects.add((block.tool, subject))
        return before - tokens

    def _frontier(self, draft: Draft, memory: _Memory) -> int:
        """The start of the round of the first block that may be cleared one day, but for those
        that are in use: up to there the cache is kept."""
        before = len(draft.conversation.messages)
        for block in memory.pending:
            is_whole = draft.sent_tokens(block) >= self.least_tokens
            if is_whole and draft.is_sent(block.message):
                return round_start(draft, block.message)
        return before


def _counted(blocks: Sequence[Block]) -> str:
    results = sum(block.kind == "tool_result" for block in blocks)
    calls = len(blocks) - results
    parts = [(results, "old result"), (calls, "old call's arguments")]
    named = [
        f"{count} {name}{'s' * (count > 1 and name[-1] != 's')}" for count, name in parts if count
    ]
    return " and ".join(named)


def _is_again(memory: _Memory, block: Block) -> bool:
    """Whether a call asks for something that was cleared."""
    if block.kind != "tool_use":
        return False
    return block.tool == FETCH_NAME or (block.tool, call_subject(block)) in memory.subjects


def _is_worth(draft: Draft, memory: _Memory, block: Block, prompt: int) -> bool:
    """Whether carrying a block on is dearer than to get it back as often as is expected."""
    economics, tokens = draft.economics, draft.sent_tokens(block)
    fetching = memory.regret * economics.fetching(tokens, prompt)
    return economics.carrying(tokens - PLACEHOLDER_TOKENS) > fetching


def weigh(draft: Draft, blocks: Iterable[Block], share_again: float) -> Decision:
    """Whether replacing blocks pays for what the provider then has to write again, if such a share
    of them has to be got back."""
    cached = new = 0
    regret = 0.0
    first, prompt = draft.known, draft.tokens
    for block in blocks:
        removed = draft.sent_tokens(block) - PLACEHOLDER_TOKENS
        regret += share_again * draft.economics.fetching(removed, prompt)
        if block.message < draft.known:
            cached += removed
            first = min(first, block.message)
        else:
            new += removed
    rewritten = draft.readable(draft.known) - draft.readable(first) - cached
    return draft.economics.weigh(
        removed_cached=cached, removed_new=new, rewritten=max(0, rewritten), regret=regret
    )


def _rounds_start(draft: Draft, keep: int) -> int:
    """The first message of the last `keep` rounds; one is kept always, which was not read yet."""
    roles = [message["role"] for message in draft.conversation.messages]
    left = max(1, keep)
    for number in range(len(roles) - 1, -1, -1):
        if roles[number] == "assistant" and (number == 0 or roles[number - 1] != "assistant"):
            left -= 1
            if not left:
                return number
    return 0


def round_start(draft: Draft, message: int) -> int:
    """The answer that begins the round of a message; an earlier request ended before it."""
    messages = draft.conversation.messages
    while message > 0 and messages[message]["role"] != "assistant":
        message -= 1
    return message
