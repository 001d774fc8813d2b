"""What just-in-time content did to a session: a sentence, and the largest loads."""

from collections.abc import Sequence
from typing import Final

from token_tracking.metrics import JitFigures
from token_tracking.store import SessionLoad
from token_tracking_server.answers.markdown import bullets, code, fold, paragraphs, row, table
from token_tracking_server.figures import UNKNOWN, tokens
from token_tracking_server.jit_words import contents, counted, doubts, verdict

_ROWS: Final = 5
_SIZE: Final = 500
_LONGEST_REASON: Final = 300


def jit_block(jit: JitFigures) -> str:
    """The figures, what they rest on, and the largest loads."""
    headline, rest = verdict(jit)
    if jit.unpriced:
        # It quotes the name of a model, which comes from a file.
        rest = rest.replace(jit.unpriced, code(jit.unpriced, _LONGEST_REASON))
    return paragraphs(
        f"**{headline}.** {rest}",
        bullets([contents(jit), *doubts(jit)]),
        _loads(jit.loads) if jit.loads else None,
    )


def _loads(loads: Sequence[SessionLoad]) -> str:
    def others(rest: Sequence[SessionLoad]) -> str:
        return row([f"and {len(rest):,} more", tokens(sum(load.tokens or 0 for load in rest))])

    rows = fold(
        sorted(loads, key=lambda load: (-(load.tokens or 0), -load.at, load.uri)),
        lambda load: row([_name(load), UNKNOWN if load.tokens is None else tokens(load.tokens)]),
        others,
        most=_ROWS,
        size=_SIZE,
    )
    return table(["Loaded", "Tokens"], rows)


def _name(load: SessionLoad) -> str:
    name = code(load.uri, 64) if load.uri else counted(load.documents, "document")
    return name if load.left_at is None else f"{name}, until a compaction"
