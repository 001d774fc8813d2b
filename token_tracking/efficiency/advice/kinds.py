"""The kinds of findings, and what of them may not be added up.

Findings overlap: a result that is large and was loaded twice, a break before which a session was
long. `reread` and `large_result` are never of one item, nor `idle_lapse` and `one_hour_cache` of
one request, and of `one_hour_cache` and `five_minute_cache` only one is ever shown. All others may
overlap: `not_named_again` is about carrying what may be large, or loaded twice, as well, and
`late_compaction` about money that every other kind may name. So a sum over kinds is no figure, and
nothing shows one.
"""

from typing import Final

UNUSED_SERVER: Final = "unused_server"
UNUSED_LOAD: Final = "unused_load"
REREAD: Final = "reread"
LARGE_RESULT: Final = "large_result"
NOT_NAMED_AGAIN: Final = "not_named_again"
IDLE_LAPSE: Final = "idle_lapse"
ONE_HOUR_CACHE: Final = "one_hour_cache"
FIVE_MINUTE_CACHE: Final = "five_minute_cache"
MODEL_SWITCH: Final = "model_switch"
LATE_COMPACTION: Final = "late_compaction"

KINDS: Final = (
    UNUSED_SERVER,
    UNUSED_LOAD,
    REREAD,
    LARGE_RESULT,
    NOT_NAMED_AGAIN,
    IDLE_LAPSE,
    ONE_HOUR_CACHE,
    FIVE_MINUTE_CACHE,
    MODEL_SWITCH,
    LATE_COMPACTION,
)

CALLED: Final = "called"
"""No finding, and without money: a server or a tool (`Skill`) that was called, of which no request
carried the result, so that nothing else of the period tells of it."""

SIGNED: Final = frozenset({ONE_HOUR_CACHE, FIVE_MINUTE_CACHE, LATE_COMPACTION})
"""Kinds that ask whether a setting would have paid. It holds for all sessions, so those where it
would have cost more are findings too, with negative money: what is said of a period is the sum,
and it is said only if that is above 0."""

FLOOR_PICO: Final = 10**9
"""A tenth of a cent (pico-USD): what is worth less of a subject in a session is no finding."""
