"""What just-in-time content did to a session, in sentences for a chat and for a terminal."""

from token_tracking.metrics import JitFigures
from token_tracking_server.figures import money, share, tokens


def verdict(jit: JitFigures) -> tuple[str, str]:
    """What it saved or lost; and against what, in dollars, and how sure that is."""
    if jit.tokens_saved is None:
        return (
            "Just-in-time content: what it saved is unknown",
            "Nothing tells how large the library is.",
        )
    return (_headline(jit.tokens_saved), f"{_against(jit)} {_dollars(jit)} {_sure(jit)}")


def _headline(saved: int) -> str:
    did = "lost" if saved < 0 else "saved"
    return f"Just-in-time content {did} {tokens(abs(saved))} prompt tokens"


def _against(jit: JitFigures) -> str:
    if jit.efficiency is None:
        return "There are no requests yet."
    rate, sent = share(abs(jit.efficiency) / 100), counted(jit.requests, "request")
    if jit.efficiency < 0:
        return f"{sent} took {rate} more than with the whole library upfront."
    return f"{rate} of what {sent} would have taken with the whole library upfront."


def _dollars(jit: JitFigures) -> str:
    if jit.saved_usd is None:
        return f"Dollars: unknown. {jit.unpriced or ''}".strip()
    if jit.saved_usd < 0:
        return f"Dollars: {money(-jit.saved_usd)} lost, apart from what caching did."
    return f"Dollars: {money(jit.saved_usd)} saved, apart from what caching did."


def _sure(jit: JitFigures) -> str:
    if jit.error_p95 is None:
        return "Estimated from token counts, whose error is not known here."
    return f"Estimated: 95 of 100 token counts are within {jit.error_p95:.1%}."


def contents(jit: JitFigures) -> str:
    """What there is, what was loaded of it, and what that took beside."""
    parts: list[str] = []
    if jit.library_tokens is not None:
        documents = counted(jit.library_documents or 0, "document")
        parts.append(f"Library: {documents}, {tokens(jit.library_tokens)} tokens")
    loaded = counted(len(jit.loads), "load")
    parts.append(f"{loaded}, {tokens(jit.loaded_tokens)} tokens")
    searches = f", {counted(jit.searches, 'search', 'es')}" if jit.searches else ""
    parts.append(f"overhead {tokens(jit.overhead_tokens)} tokens (tools{searches}, framing)")
    return " · ".join(parts)


def doubts(jit: JitFigures) -> list[str]:
    """What keeps the figures from being exact."""
    found: list[str] = []
    if jit.over_window_requests:
        found.append(
            f"Hypothetical: {jit.over_window_requests:,} of {counted(jit.requests, 'request')}"
            " would not have fit the model's context window with the library upfront."
        )
    if jit.unsized_loads:
        found.append(f"{counted(jit.unsized_loads, 'load')} of unknown size, not counted.")
    if jit.saved_usd is not None and jit.unpriced_requests:
        found.append(
            f"{counted(jit.unpriced_requests, 'request')} without a known price, not in the"
            " dollars."
        )
    return found


def counted(count: int, noun: str, plural: str = "s") -> str:
    """`1 search`, `2,379 searches`."""
    return f"{count:,} {noun}{'' if count == 1 else plural}"
