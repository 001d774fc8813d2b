"""What a session spent and need not have."""

from typing import Final

from token_tracking.efficiency.advice.cache_lifetime import cache_lifetimes
from token_tracking.efficiency.advice.carriage import Carriage
from token_tracking.efficiency.advice.idle_lapse import idle_lapses
from token_tracking.efficiency.advice.kinds import CALLED, KINDS
from token_tracking.efficiency.advice.large_result import large_results
from token_tracking.efficiency.advice.late_compaction import late_compactions
from token_tracking.efficiency.advice.model_switch import model_switches
from token_tracking.efficiency.advice.not_named_again import not_named_again
from token_tracking.efficiency.advice.reread import loaded_again, rereads
from token_tracking.efficiency.advice.steps import steps_of
from token_tracking.efficiency.advice.unused import (
    uncarried_calls,
    unused_servers,
    unused_skills,
)
from token_tracking.efficiency.attribution import Attribution, Conversation
from token_tracking.shares import Finding

_ORDER: Final = {kind: number for number, kind in enumerate((*KINDS, CALLED))}


def find_waste(conversation: Conversation, attribution: Attribution) -> list[Finding]:
    """The findings of one session, from its conversation and its attribution, in the order of
    `KINDS`, the dearest of each first. `kinds` says which of them may overlap: their sum is no
    figure.

    There is one for each kind, subject and quarter of an hour, with the money of that quarter. A
    kind and subject is above `FLOOR_PICO` in the session, unless it is `SIGNED`: these may be
    negative, and count in the sum over a period alone. Those that are `CALLED` come last.
    """
    steps = steps_of(conversation)
    carriage = Carriage(conversation, attribution)
    again = loaded_again(conversation, steps)
    found = [
        *unused_servers(conversation, attribution, carriage),
        *unused_skills(conversation, attribution, carriage),
        *rereads(again, attribution, carriage),
        *large_results(attribution, carriage, {entry.key for entry in again}),
        *not_named_again(conversation, steps, attribution, carriage),
        *idle_lapses(steps, attribution),
        *cache_lifetimes(steps),
        *model_switches(steps),
        *late_compactions(steps, attribution),
        *uncarried_calls(conversation, attribution),
    ]
    found.sort(key=_order)
    return found


def _order(finding: Finding) -> tuple[int, int, int, str, str]:
    return (
        _ORDER[finding.kind],
        -finding.pico,
        finding.at,
        finding.subject,
        finding.item or "",
    )
