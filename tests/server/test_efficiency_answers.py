"""What is told of efficiency, in Markdown."""

from decimal import Decimal

import pytest

from tests.server.efficiency_values import (
    advice,
    against,
    cache,
    change,
    group,
    grouped,
    overall,
    point,
    reconciled,
    snapshot,
    timeline,
    trend,
)
from token_tracking.efficiency.snapshot import Against
from token_tracking_server.answers.advice import advice_answer
from token_tracking_server.answers.groups import groups_answer, top_answer
from token_tracking_server.answers.items import items_answer, top_items
from token_tracking_server.answers.periods import period_name
from token_tracking_server.answers.savings import savings_answer
from token_tracking_server.answers.snapshot import against as against_text
from token_tracking_server.answers.snapshot import reconciled_line, snapshot_answer
from token_tracking_server.answers.trend import trend_answer


def test_a_snapshot_tells_all_of_a_period() -> None:
    assert snapshot_answer(snapshot()) == (
        "**The 7 days up to now: $20.00** for 1,000 messages in 12 sessions\n\n"
        "- Prompts: 41.5M tokens (40.0M read from the cache, 1.5M written, 5,000 uncached), $18.00;"
        " output: 250.0k tokens.\n"
        "- Saved against the same without caching: $182.00 (91.0%); measured.\n\n"
        "- **Cache**: 96.4% of prompt tokens and 98.0% of requests hit it; writes cost $2.00 above"
        " plain input (already taken off).\n\n"
        "**Against the period before**\n\n"
        "- cost per message: $0.02, before $0.04 (-50.0%): improving; Welch's test: p = 0.001.\n\n"
        "| Category | Loads | Tokens | Carried | Cost | Carrying | Share | Caching saved |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| Read | 3 | 12.3k | 1,234 | $2.50 | $2.00 | 12.5% | 82.5% |\n"
        "| Bash | 3 | 12.3k | 1,234 | $1.25 | $1.00 | 12.5% | 82.5% |\n\n"
        "**Worth a look**\n\n"
        "- Read: $1.50 at stake. 80% of its cost is for carrying it."
        " (threshold: a tenth of the period's prompt cost)\n\n"
        "Caching saved most on: Bash 82.5%.\n\n"
        "_Totals and caching are measured from billed usage, at API prices; what is said of single"
        " items, partial output and just-in-time loading is estimated._"
    )


def test_an_empty_period_says_so_and_no_more() -> None:
    empty = snapshot(overall=overall(messages=0))
    assert snapshot_answer(empty, stale="> Old.") == (
        "**The 7 days up to now**\n\n> Old.\n\nThere are no messages in this period."
    )


def test_what_a_cache_lost_is_told_where_there_is_something() -> None:
    lost = cache(
        lapses=3,
        lapse_tokens=300_000,
        lapse_usd=Decimal("1.75"),
        switches=1,
        switch_usd=Decimal("0.5"),
        unread_write_tokens=12_000,
        unread_write_usd=Decimal("0.02"),
        unseen_write_tokens=9_000,
        unseen_write_usd=None,
    )
    text = snapshot_answer(snapshot(cache=lost))
    assert (
        "- 3 lapses (idle too long): 300.0k tokens written again, $1.75 more than reading them.\n"
        "- 1 change of model within a session: $0.50 more.\n"
        "- 12.0k tokens were written and never read again: $0.02 above plain input.\n"
        "- 9,000 tokens were written by calls that stand in no transcript: unknown."
    ) in text


def test_what_is_not_exact_is_told() -> None:
    text = snapshot_answer(
        snapshot(
            overall=overall(
                unattributed_tokens=1_500,
                unpriced_messages=2,
                partial_messages=7,
                partial_output_tokens=4_000,
                partial_output_usd=Decimal("0.1"),
            )
        )
    )
    assert "- 1,500 prompt tokens are not attributed (yet).\n" in text
    assert "- 2 messages without a known price: left out.\n" in text
    assert (
        "- Of 7 messages the output is a lower bound. An estimated 4,000 tokens ($0.10) more are in"
        " no other figure.\n"
    ) in text


@pytest.mark.parametrize(
    ("baseline", "says"),
    [
        (
            against(
                baseline="no_jit",
                tokens_saved=-2_000,
                efficiency=-4.0,
                saved_usd=Decimal("-0.5"),
                basis="estimated",
                error_p95=0.084,
                priced_requests=980,
            ),
            (
                "**Lost** against the same with the whole library in the prompt: -$0.50, -2,000"
                " prompt tokens (-4.0%); estimated, error of counted tokens up to 8.4%, money of"
                " 980 of 990 requests."
            ),
        ),
        (
            against(saved_usd=None, tokens_saved=None, basis="unknown"),
            "Saved against the same without caching: unknown.",
        ),
        (
            against(saved_usd=None, tokens_saved=5, efficiency=None),
            "Saved against the same without caching: 5 prompt tokens; measured.",
        ),
    ],
)
def test_a_loss_is_called_one(baseline: Against, says: str) -> None:
    assert against_text(baseline) == says


def test_the_client_s_own_total_is_explained() -> None:
    assert reconciled_line(reconciled()) is None
    found = reconciled(
        sessions=10,
        sessions_without_total=2,
        client_usd=Decimal(12),
        ledger_usd=Decimal(10),
        difference_usd=Decimal(2),
        partial_output_usd=Decimal("0.5"),
        unseen_calls_usd=Decimal("1.25"),
        unexplained_usd=Decimal("0.25"),
    )
    assert reconciled_line(found) == (
        "Reconciliation: Claude Code's own total of 10 sessions is $12.00, the ledger's $10.00: of"
        " the difference $0.50 is output that was never counted to its end (estimated), $1.25 calls"
        " that stand in no transcript, $0.25 unexplained. 2 sessions told no total."
    )


def test_a_trend_tells_its_changes_first_and_its_newest_step_first() -> None:
    assert trend_answer(trend()) == (
        "**The 7 days up to now: improving** in cost per message\n\n"
        "- cost per message: $0.02, before $0.04 (-50.0%): improving; Welch's test: p = 0.001.\n\n"
        "| Day | Messages | Prompt | Output | Cost | Hit rate | Caching saved |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| 2026-03-02 | 100 | 4.0M | 25.0k | $2.00 | 95.0% | 90.0% |\n"
        "| 2026-03-01 | 100 | 4.0M | 25.0k | $2.00 | 95.0% | 90.0% |"
    )


def test_what_cannot_be_told_from_chance_is_not_called_a_change() -> None:
    unsure = change(direction="stable", can_tell=False, reason="Too few messages.")
    nothing = change(metric="cache_hit_rate", now=0.5, before=None, reason="Nothing before.")
    text = trend_answer(trend(changes=[unsure, nothing]))
    assert "before $0.04 (-50.0%): cannot tell; Too few messages." in text
    assert "- cache hit rate: 50.0%; Nothing before." in text


def test_a_long_trend_sums_its_early_steps() -> None:
    text = trend_answer(trend(points=[point(f"day {number}") for number in range(40)]))
    assert text.endswith("| and 9 earlier | 900 | 36.0M | 225.0k | $18.00 |  |  |")


def test_groups_that_do_not_fit_are_summed() -> None:
    rows = [group(f"tool {number}", "1") for number in range(18)]
    assert "| and 3 more | 9 | 37.0k | 3,702 | $3.00 | $2.40 | 37.5% |  |" in groups_answer(
        grouped(rows)
    )


def test_groups_are_told_with_all_of_the_period() -> None:
    assert groups_answer(grouped([group("Read"), group("rest", is_rest=True)], left_out=2)) == (
        "**Last 7 days: $5.00** for prompts, by tool\n\n"
        "| Tool | Loads | Tokens | Carried | Cost | Carrying | Share | Caching saved |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| Read | 3 | 12.3k | 1,234 | $2.50 | $2.00 | 12.5% | 82.5% |\n"
        "| rest | 3 | 12.3k | 1,234 | $2.50 | $2.00 | 12.5% | 82.5% |\n\n"
        "2 more are not listed.\n\n"
        "_Estimated: billed growth of the prompts, shared among what entered in proportion to its"
        " size; all rows together are exact. Cost is of prompts, output apart, at API prices._"
    )


def test_items_that_entered_are_told_without_a_whole() -> None:
    rows = [group("Read", share=None)]
    assert groups_answer(grouped(rows, by="item", totals=None, left_out=2)) == (
        "**Last 7 days: prompts,** by item\n\n"
        "| Item | Tokens | Requests | Cost | Carrying |\n"
        "| --- | ---: | ---: | ---: | ---: |\n"
        "| Read | 12.3k | 1,234 | $2.50 | $2.00 |\n\n"
        "Items that entered in this period, each with its cost to the end. 2 more are not listed."
        "\n\n"
        "_Estimated: billed growth of the prompts, shared among what entered in proportion to its"
        " size. Cost is of prompts, output apart, at API prices._"
    )


def test_nothing_to_group_is_said() -> None:
    nothing = "No prompts are attributed in this period."
    assert groups_answer(grouped([])).endswith(nothing)
    assert top_answer([], "cost", "all").endswith(nothing)
    assert items_answer(timeline(items=[], total_items=0)).endswith(nothing)


def test_a_top_list_says_by_what() -> None:
    text = top_answer([group("Read", None)], "efficiency", "all")
    assert text.startswith("**All time: top 1 by what caching saved of their uncached cost**")
    assert "| Read | 3 | 12.3k | 1,234 | unknown | unknown | 12.5% | 82.5% |" in text


def test_advice_is_numbered_and_warns_of_adding_it_up() -> None:
    assert advice_answer([advice(), advice(basis="measured", title="Two.")], "last_week") == (
        "**The 7 days up to now: 2 findings, the dearest first**\n\n"
        "1. **$3.21 (estimated)** The MCP server github was never called. Its tools stood in 12"
        " sessions. **Do:** Run `claude mcp remove github`.\n"
        "2. **$3.21** Two. Its tools stood in 12 sessions. **Do:** Run `claude mcp remove"
        " github`.\n\n"
        "_Money at stake is what it cost in the period beyond what it need have, at API prices."
        " Findings overlap: do not add them up._"
    )
    assert advice_answer([], "today") == (
        "**Today: nothing that would have saved money was found**"
    )


def test_a_session_is_told_by_item() -> None:
    text = items_answer(timeline(total_items=30, findings=[advice()]), chosen="The newest.")
    assert text.startswith(
        "**Session `s-1`: $5.00** for 4.0M prompt tokens in 40 requests, by item\n\n"
        "The newest.\n\n"
        "| Item | Tokens | Requests | Cost | Carrying | Share |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |\n"
        "| `Read src/a.py` | 12.3k | 1,234 | $2.50 | $2.00 | 12.5% |\n"
        "| Base | 12.3k | 1,234 | $2.50 | $2.00 | 12.5% |\n\n"
        "28 items more are not shown.\n\n"
        "1. **$3.21 (estimated)** The MCP server github was never called."
    )


def test_a_session_s_report_names_the_dearest_and_where_the_others_are() -> None:
    text = top_items(timeline(total_items=30, findings=[advice()]))
    assert text is not None
    assert text.startswith("| Dearest in the prompts | Tokens | Requests |")
    assert text.endswith("_Estimated; 28 more items and findings, the dearest $3.21: view=items._")
    assert (top_items(timeline()) or "").endswith("\n\n_Estimated._")
    assert top_items(timeline(items=[], total_items=0)) is None


def test_a_session_that_cannot_be_attributed_says_why() -> None:
    broken = timeline(items=[], total_items=0, problem="Its lines form a cycle.")
    says = "This session cannot be attributed to items: Its lines form a cycle."
    assert top_items(broken) == says
    assert says in items_answer(broken)


def test_savings_hold_advice_the_dearest_and_the_period() -> None:
    text = savings_answer(snapshot(), [advice()], [group("Read")], stale="> Old.")
    places = [
        text.index(part)
        for part in ("1 finding", "| Dearest in the prompts", "$20.00** for 1,000", "> Old.")
    ]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("period", "words"),
    [
        ("all_time", "All time"),
        ("last_hour", "The hour up to now"),
        ("7d", "Last 7 days"),
        ("2026-11-01..2026-11-08", "From 2026-11-01 to 2026-11-08 (not included)"),
        ("2026-11-01..", "From 2026-11-01 on"),
        ("..2026-11-01", "To 2026-11-01 (not included)"),
    ],
)
def test_periods_have_words(period: str, words: str) -> None:
    assert period_name(period) == words
