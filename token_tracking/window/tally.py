"""A request's tokens by part."""

from collections import Counter
from collections.abc import Iterator

from token_tracking.window.draft import Draft
from token_tracking.window.prepared import Tokens


def tally(draft: Draft, *, is_anchored: bool) -> Tokens:
    """The prompt tokens of a draft by part."""
    around, sizer = draft.surroundings, draft.sizer
    documents = sum(text.tokens for text in draft.edits.before.values())
    messages = draft.outgoing.tokens
    leading = draft.leading_tokens
    before = max(leading, draft.history_tokens)  # in the first turn there is no history
    method = sizer.method or "nothing to count"
    return Tokens(
        system=around.system + leading,
        tools=around.tools,
        history=before - leading,
        documents=documents,
        user=messages - before - documents,
        overhead=around.overhead,
        total=draft.tokens,
        method=f"billed, and for what is new {method}" if is_anchored else method,
        exact=sizer.exact and not is_anchored and not around.tokens,
        error_p95=_error(draft),
    )


def _error(draft: Draft) -> float | None:
    """That of the estimates, for the share of the whole that is estimated: what is new since the
    last bill, and what was taken out of what had been billed."""
    around, error = draft.surroundings, draft.sizer.error_p95
    new = around.system + around.tools + draft.outgoing.tokens - around.measured
    estimated = new + around.unmeasured
    return None if error is None else error * min(1.0, estimated / max(1, draft.tokens))


def filling(draft: Draft) -> Iterator[tuple[str, int]]:
    """What fills a draft: the system prompt, tools, documents, results by tool, and the rest."""
    around = draft.surroundings
    yield from (("system", around.system), ("tools", around.tools))
    found: Counter[str] = Counter()
    for message in range(len(draft.conversation.messages)):
        if draft.is_sent(message):
            for block in draft.conversation.blocks_of(message):
                found[_name(block.kind, block.tool)] += draft.sent_tokens(block)
    yield from found.items()


def _name(kind: str, tool: str | None) -> str:
    if kind == "tool_result":
        return f"results of {tool or 'unnamed tools'}"
    return {"tool_use": "tool calls", "text": "text", "thinking": "thinking"}.get(kind, f"{kind}s")
