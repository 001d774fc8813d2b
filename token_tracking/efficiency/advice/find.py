"""What a session spent and need not have."""

from token_tracking.efficiency.advice.cache_lifetime import cache_lifetimes
from token_tracking.efficiency.advice.idle_lapse import idle_lapses
from token_tracking.efficiency.advice.kinds import FLOOR_PICO, KINDS, SIGNED
from token_tracking.efficiency.advice.large_result import large_results
from token_tracking.efficiency.advice.late_compaction import late_compactions
from token_tracking.efficiency.advice.model_switch import model_switches
from token_tracking.efficiency.advice.reread import rereads
from token_tracking.efficiency.advice.steps import steps_of
from token_tracking.efficiency.advice.unused import unused_servers, unused_skills
from token_tracking.efficiency.attribution import Attribution, Conversation
from token_tracking.shares import Finding


def find_waste(conversation: Conversation, attribution: Attribution) -> list[Finding]:
    """The findings of one session, from its conversation and its attribution, in the order of
    `KINDS`, the dearest of each first. `kinds` says which of them may overlap: their sum is no
    figure.

    None is without money. Those of `SIGNED` kinds may be negative, and count in the sum over a
    period alone; all others are above `FLOOR_PICO`.
    """
    steps = steps_of(conversation)
    again = list(rereads(conversation, steps, attribution))
    apart = {finding.item for finding in again}
    found = [
        *unused_servers(conversation, attribution),
        *unused_skills(conversation, attribution),
        *again,
        *large_results(attribution, apart),
        *idle_lapses(steps, attribution),
        *cache_lifetimes(steps),
        *model_switches(steps),
        *late_compactions(steps, attribution),
    ]
    kept = [each for each in found if each.pico > FLOOR_PICO or each.kind in SIGNED]
    kept.sort(key=_order)
    return kept


def _order(finding: Finding) -> tuple[int, int, int, str, str]:
    return (
        KINDS.index(finding.kind),
        -finding.pico,
        finding.at,
        finding.subject,
        finding.item or "",
    )
