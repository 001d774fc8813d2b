"""What is said of the findings of a period."""

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from token_tracking.efficiency.advice import KINDS, FindingSums, advise, summed
from token_tracking.efficiency.advice.assumed import KEPT_TOKENS, SUMMARY_TOKENS
from token_tracking.efficiency.advice.kinds import LATE_COMPACTION
from token_tracking.efficiency.advice.words import WORDS
from token_tracking.shares import Finding

CENT = 10**10
"""Pico-USD."""


def row(kind: str, subject: str = "x", cents: float = 100, **fields: Any) -> FindingSums:
    given: dict[str, Any] = {
        "tokens": 1_234_567,
        "count": 3,
        "sessions": 2,
        "session_id": "s1",
        **fields,
    }
    return FindingSums(kind=kind, subject=subject, pico=int(cents * CENT), **given)


def test_every_kind_has_words() -> None:
    assert set(WORDS) == set(KINDS)


def test_the_most_money_is_first_and_the_list_is_short() -> None:
    rows = [row("large_result", f"tool{index}", index) for index in range(5, 30)]
    advice = advise(rows, limit=3)
    assert [each.subject for each in advice] == ["tool29", "tool28", "tool27"]
    assert advice[0].at_stake_usd == Decimal("0.29")
    assert len(advise(rows)) == 10


def test_less_than_five_cents_is_not_shown() -> None:
    assert advise([row("large_result", cents=4.99)]) == []
    assert len(advise([row("large_result", cents=5)])) == 1


def test_in_a_cheap_period_a_thousandth_of_its_prompts_is_shown() -> None:
    rows = [row("large_result", "Read", 1), row("large_result", "Bash", 0.99)]
    assert [each.subject for each in advise(rows, prompt_pico=1_000 * CENT)] == ["Read"]


def test_in_a_dear_period_five_cents_are_shown() -> None:
    rows = [row("large_result", "Read", 5), row("large_result", "Bash", 4.99)]
    assert [each.subject for each in advise(rows, prompt_pico=10**6 * CENT)] == ["Read"]


def test_what_would_have_cost_more_is_not_advised() -> None:
    assert advise([row("one_hour_cache", "main conversation", -50)]) == []
    assert advise([row("late_compaction", "100000", -50)]) == []


def test_of_the_sizes_to_compact_at_the_best_is_named() -> None:
    rows = [
        row("late_compaction", "100000", 300),
        row("late_compaction", "150000", 500),
        row("late_compaction", "200000", 400),
    ]
    (advice,) = advise(rows)
    assert advice.at_stake_usd == Decimal(5)
    assert advice.title == "Conversations grow long past 150,000 tokens"
    assert "`/compact`" in advice.action


def test_of_the_two_lifetimes_the_better_one_is_advised() -> None:
    rows = [
        row("one_hour_cache", "main conversation", 50),
        row("five_minute_cache", "main conversation", 20),
        row("five_minute_cache", "subagents", 10),
    ]
    assert [(each.kind, each.subject) for each in advise(rows)] == [
        ("one_hour_cache", "main conversation"),
        ("five_minute_cache", "subagents"),
    ]


def test_a_server_that_is_called_in_some_session_is_not_called_unused() -> None:
    rows = [row("unused_server", "claude.ai Gmail"), row("unused_server", "github")]
    assert [each.subject for each in advise(rows, called={"claude_ai_Gmail"})] == ["github"]


def test_skills_that_are_used_somewhere_are_not_called_unused() -> None:
    assert len(advise([row("unused_load", "skills")], called={"github", "Bash"})) == 1
    assert advise([row("unused_load", "skills")], called={"Skill"}) == []


@pytest.mark.parametrize(
    ("server", "action"),
    [
        ("github", "`claude mcp remove github`"),
        ("my server", "`claude mcp remove 'my server'`"),
        ("claude.ai Gmail", "claude.ai"),
        ("plugin:docs:search", "`/plugin`"),
    ],
)
def test_a_server_is_removed_where_it_comes_from(server: str, action: str) -> None:
    (advice,) = advise([row("unused_server", server)])
    assert action in advice.action
    assert server in advice.title


def test_files_that_were_read_again_are_one_piece_of_advice() -> None:
    rows = [
        row("reread", f"/f{index}", 10 - index, count=1, tokens=10, sessions=index)
        for index in range(1, 6)
    ]
    (advice,) = advise(rows)
    assert advice.title == "5 files are read again unchanged"
    assert "5 times" in advice.evidence
    assert "/f1, /f2, /f3 and 2 more" in advice.evidence
    assert (advice.at_stake_usd, advice.tokens, advice.count) == (Decimal("0.35"), 50, 5)
    assert (advice.sessions, advice.session_id, advice.basis) == (5, "s1", "estimated")


def test_one_file_is_named() -> None:
    (advice,) = advise([row("reread", "/a.py", count=1)])
    assert advice.title == "/a.py is read again unchanged"
    assert advice.evidence.startswith("1 time a file")


def test_small_amounts_of_many_files_count_together() -> None:
    (advice,) = advise([row("reread", f"/f{index}", 2) for index in range(4)])
    assert advice.at_stake_usd == Decimal("0.08")


def test_numbers_are_written_as_people_write_them() -> None:
    (advice,) = advise([row("one_hour_cache", "main conversation", count=1_500)])
    assert "1,500 times" in advice.evidence
    assert "1,234,567 tokens" in advice.evidence
    assert '`"promptCacheTtl": "1h"`' in advice.action
    assert advice.basis == "estimated"


def test_subagents_have_a_setting_of_their_own() -> None:
    (advice,) = advise([row("one_hour_cache", "subagents")])
    assert advice.title == "Keeping the cache for an hour pays in subagents"
    assert '`"subagentPromptCacheTtl": "1h"`' in advice.action
    (advice,) = advise([row("five_minute_cache", "subagents", count=0, tokens=0)])
    assert '`"subagentPromptCacheTtl": "5m"`' in advice.action


def test_the_cap_is_that_of_the_tool() -> None:
    actions = {
        tool: advise([row("large_result", tool)])[0].action
        for tool in ("Read", "Bash", "github: list_issues", "Other")
    }
    assert "CLAUDE_CODE_FILE_READ_MAX_OUTPUT_TOKENS" in actions["Read"]
    assert "BASH_MAX_OUTPUT_LENGTH" in actions["Bash"]
    assert "MAX_MCP_OUTPUT_TOKENS" in actions["github: list_issues"]
    assert "subagent" in actions["Other"]


def test_changes_of_model_are_one_piece_of_advice() -> None:
    rows = [row("model_switch", "a to b", 5), row("model_switch", "b to a", 3)]
    (advice,) = advise(rows)
    assert "mostly a to b, and 1 other change" in advice.evidence
    assert advice.count == 6


def test_breaks_name_what_to_do_before_them() -> None:
    (advice,) = advise([row("idle_lapse", "long breaks")])
    assert "3 times, in 2 sessions" in advice.evidence
    assert "`/compact` before a long break" in advice.action


@pytest.mark.parametrize("kind", ["idle_lapse", "late_compaction"])
def test_what_rests_on_sizes_of_a_compaction_says_so(kind: str) -> None:
    (advice,) = advise([row(kind, "100000")])
    assert f"leaves about {KEPT_TOKENS:,} tokens (its summary: {SUMMARY_TOKENS:,})" in (
        advice.evidence
    )


def test_files_that_are_not_named_again_are_one_piece_of_advice() -> None:
    rows = [row("not_named_again", "Read", 5, count=1), row("not_named_again", "WebFetch", 3)]
    (advice,) = advise(rows)
    assert advice.title == "Files are carried long after their last use"
    assert advice.evidence.startswith("4 files and documents of 1,000 tokens")
    assert "`/clear`" in advice.action


@pytest.mark.parametrize("kind", ["reread", "large_result", "not_named_again", "late_compaction"])
def test_a_period_in_which_only_what_came_before_was_carried_counts_none(kind: str) -> None:
    (advice,) = advise([row(kind, "100000", count=0, tokens=0)])
    assert not re.search(r"\b0 (time|file|result)", advice.evidence)


@pytest.mark.parametrize("kind", KINDS)
@given(subject=st.text(max_size=2_000), more=st.integers(0, 9), many=st.integers(0, 10**12))
def test_evidence_is_short_and_ends_as_a_sentence(
    kind: str, subject: str, more: int, many: int
) -> None:
    subjects = [f"{subject}{number}" for number in range(more + 1)]
    if kind == LATE_COMPACTION:
        subjects = ["300000"]
    rows = [row(kind, each, tokens=many, count=many // 10**6, sessions=10**6) for each in subjects]
    for advice in advise(rows):
        assert len(advice.evidence) <= 300
        assert advice.evidence.endswith(".")


def test_the_findings_of_one_session_are_summed_by_subject() -> None:
    findings = [
        Finding(kind="reread", subject="/a", at=1, pico=5, tokens=2),
        Finding(kind="reread", subject="/a", at=2, pico=7, tokens=3, count=2),
        Finding(kind="idle_lapse", subject="long breaks", at=2, pico=1),
    ]
    assert summed("s", findings) == [
        FindingSums(
            kind="reread",
            subject="/a",
            pico=12,
            tokens=5,
            count=3,
            sessions=1,
            session_id="s",
        ),
        FindingSums(
            kind="idle_lapse",
            subject="long breaks",
            pico=1,
            tokens=0,
            count=1,
            sessions=1,
            session_id="s",
        ),
    ]


def test_rows_of_several_projects_are_added_up() -> None:
    rows = [
        row("one_hour_cache", "main conversation", 300, sessions=3, session_id="s1"),
        row("one_hour_cache", "main conversation", -100, sessions=4, session_id="s2"),
    ]
    (advice,) = advise(rows)
    assert (advice.at_stake_usd, advice.sessions, advice.session_id) == (Decimal(2), 7, "s1")
    assert advise([*rows, row("one_hour_cache", "main conversation", -200)]) == []
