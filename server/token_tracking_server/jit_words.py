"""What just-in-time content did to a session, in sentences for a chat and for a terminal."""

from token_tracking.metrics import JitFigures
from token_tracking_server.figures import money, share, tokens


def verdict(jit: JitFigures) -> tuple[str, str]:
    """What it saved or lost; and against what, in dollars, and how sure that is."""
    saved, sent = jit.tokens_saved, counted(jit.requests, "request")
    if saved is None:
        return (
            "Just-in-time content: what it saved is unknown",
            "Nothing tells how large the library is.",
        )
    did = f"{'lost' if saved < 0 else 'saved'} {tokens(abs(saved))} prompt tokens"
    rest = f"{_against(jit, sent)} {_dollars(jit)} {_sure(jit)}"
    if jit.over_window_requests:
        unsent = f"{jit.over_window_requests:,} of {sent}"
        return (
            f"Just-in-time content: with the library, {unsent} would not have fit the window",
            f"Against that baseline, which is hypothetical, it {did}: {rest}",
        )
    return (f"Just-in-time content {did}", rest[:1].upper() + rest[1:])


def _against(jit: JitFigures, sent: str) -> str:
    if jit.efficiency is None:
        return "there were no requests."
    rate = share(abs(jit.efficiency) / 100)
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
    if jit.rough_loads:
        found.append(
            f"{counted(jit.rough_loads, 'load')} with tokens from bytes or the library's mean size:"
            " off by up to half."
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
