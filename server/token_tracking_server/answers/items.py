"""A session, and where its prompts' money went."""

from typing import Final

from token_tracking.efficiency.session_timeline import Timeline
from token_tracking_server.answers.advice import advice_list
from token_tracking_server.answers.groups import ESTIMATED, NOTHING, items_table
from token_tracking_server.answers.markdown import code, paragraphs, plain
from token_tracking_server.answers.snapshot import reconciled_line
from token_tracking_server.answers.sums import counted
from token_tracking_server.figures import money, tokens

SHOWN: Final = 5
"""Items of a session's report: `view=items` has more."""


def items_answer(timeline: Timeline, *, chosen: str | None = None, stale: str | None = None) -> str:
    """The dearest items of a session, what they need not have cost, and the client's own total."""
    return paragraphs(
        f"**Session {code(timeline.session_id)}: {money(timeline.prompt_cost_usd)}** for"
        f" {tokens(timeline.prompt_tokens)} prompt tokens in"
        f" {counted(timeline.total_requests, 'request')}, by item",
        stale,
        chosen,
        _not_attributable(timeline) or _all_items(timeline),
        _hidden(timeline),
        advice_list(timeline.findings, most=5, size=2_500) or None,
        reconciled_line(timeline.reconciliation),
        ESTIMATED if timeline.items else None,
    )


def top_items(timeline: Timeline) -> str | None:
    """The few items that a session's report names."""
    if problem := _not_attributable(timeline):
        return problem
    carried = [each for each in timeline.items[:SHOWN] if each.carried]
    if not carried:
        return None
    table = items_table(carried, "Dearest in the prompts", size=1_200)
    return f"{table}\n\n{_more(timeline)}"


def _all_items(timeline: Timeline) -> str:
    if not timeline.items:
        return NOTHING
    return items_table(timeline.items, "Item", most=20, size=3_500)


def _more(timeline: Timeline) -> str:
    rest = timeline.total_items - min(len(timeline.items), SHOWN)
    findings = [money(each.at_stake_usd) for each in timeline.findings[:1]]
    more = f"{rest:,} more items" if rest > 0 else ""
    found = f"findings, the dearest {findings[0]}" if findings else ""
    told = " and ".join(part for part in (more, found) if part)
    return f"_Estimated; {told}: view=items._" if told else "_Estimated._"


def _hidden(timeline: Timeline) -> str | None:
    rest = timeline.total_items - len(timeline.items)
    return f"{counted(rest, 'item')} more are not shown." if rest > 0 else None


def _not_attributable(timeline: Timeline) -> str | None:
    if timeline.problem is None:
        return None
    return f"This session cannot be attributed to items: {plain(timeline.problem, 300)}"
