"""The kinds of findings, and what of them may not be added up.

Findings overlap: a result that is large and was loaded twice, a break before which a session was
long. `reread` and `large_result` are never of one item, nor `idle_lapse` and `one_hour_cache` of
one request, and of `one_hour_cache` and `five_minute_cache` only one is ever shown. All others may
overlap, and `late_compaction` is about money that every other kind may name as well. So a sum over
kinds is no figure, and nothing shows one.
"""

from typing import Final

UNUSED_SERVER: Final = "unused_server"
UNUSED_LOAD: Final = "unused_load"
REREAD: Final = "reread"
LARGE_RESULT: Final = "large_result"
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
    IDLE_LAPSE,
    ONE_HOUR_CACHE,
    FIVE_MINUTE_CACHE,
    MODEL_SWITCH,
    LATE_COMPACTION,
)

SIGNED: Final = frozenset({ONE_HOUR_CACHE, FIVE_MINUTE_CACHE, LATE_COMPACTION})
"""Kinds that ask whether a setting would have paid. It holds for all sessions, so those where it
would have cost more are findings too, with negative money: what is said of a period is the sum,
and it is said only if that is above 0."""

FLOOR_PICO: Final = 10**9
"""A tenth of a cent (pico-USD): what is worth less in a session is no finding."""
