"""The figures of a replay as a page of at most 80 columns."""

from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

from benchmarks.window_replay.policies import DEFAULT, NONE

WIDTH = 80
COST_GOAL = 0.80
WORST_GOAL = 1.03
TELLING = 0.5
"""Share of recognisable results below which a tree says little of regret."""

COLUMNS: dict[str, tuple[str, int, str]] = {
    "tokens": ("tokens", 7, ".3f"),
    "cost_5m": ("5m", 7, ".3f"),
    "cost_1h": ("1h", 7, ".3f"),
    "worst_session": ("worst", 7, ".3f"),
    "refused": ("refused", 8, ".3f"),
    "laws_broken": ("laws", 6, ","),
    "prepare_ms_p50": ("ms", 9, ",.2f"),
}
MORE: dict[str, tuple[str, int, str]] = {
    "cost_with_answers_5m": ("all 5m", 8, ".3f"),
    "cost_with_answers_1h": ("all 1h", 8, ".3f"),
    "worst_session_5m": ("worst5m", 8, ".3f"),
    "worst_session_1h": ("worst1h", 8, ".3f"),
    "used_again_5m": ("again", 6, ".3f"),
    "used_again_1h": ("ag.1h", 6, ".3f"),
    "stability": ("stable", 7, ".2f"),
}

LEGEND = (
    ("*", "gave up in some sessions: its figures are those of the requests before, beside none's"),
    ("tokens", "prompt tokens of all requests, by those of none"),
    (
        "5m, 1h",
        """cost by that of none, for either lifetime of the cache: of prompts, and of what a policy
        has others read and write (calls that fetch again and their requests, summaries and their
        prompts); answers are the same for all and left out""",
    ),
    ("all", "the same with the answers"),
    ("worst", "the session with the highest cost by that of none"),
    ("refused", "share of requests that are empty, or larger than the model's window"),
    ("laws", "requests that break a law of their API or of editing"),
    ("ms", "median time to prepare a request, conversion left out"),
    (
        "again",
        """regret: share of the blocks taken out that the model used again, as it wrote a
        distinctive string (a path, a name, a number) that only they held. Each is fetched again
        in the replay: one more request, and its tokens once more. What the system prompt says
        cannot be seen, so that some of it is counted for nothing""",
    ),
    ("stable", "share of each prompt's tokens that stands unchanged at the front of the next"),
)


def page(found: Mapping[str, Any]) -> str:
    """The figures with their goals, and what they mean."""
    policies: dict[str, dict[str, Any]] = found["policies"]
    lines = [
        f"{found['sessions']:,} sessions, {found['requests']:,} requests; 1.000 is none",
        "",
        *_rows(policies, COLUMNS),
        "",
        *_rows(policies, MORE),
        "",
        *_goals(policies),
        *_trust(policies),
        "",
    ]
    for name, text in LEGEND:
        lines += wrap(f"{name:<8}{' '.join(text.split())}", WIDTH, subsequent_indent=" " * 8)
    return "\n".join(lines)


def _rows(
    policies: Mapping[str, Mapping[str, Any]], columns: Mapping[str, tuple[str, int, str]]
) -> Iterator[str]:
    width = 1 + max(len("policy"), *map(len, policies))
    yield "policy".ljust(width) + "".join(f"{head:>{size}}" for head, size, _ in columns.values())
    for name, figures in policies.items():
        cells = (_cell(figures.get(key), size, form) for key, (_, size, form) in columns.items())
        star = "*" if figures.get("gave_up") else ""
        yield f"{name}{star}".ljust(width) + "".join(cells)


def _cell(value: float | None, width: int, form: str) -> str:
    return f"{'-' if value is None else format(value, form):>{width}}"


def _goals(policies: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    ours = policies.get(DEFAULT)
    if ours is None or ours["cost_5m"] is None:
        return
    yield f"goals for {DEFAULT}, regret included:"
    for name, key, goal in (
        ("cost, 5m", "cost_5m", COST_GOAL),
        ("cost, 1h", "cost_1h", COST_GOAL),
        ("worst session", "worst_session", WORST_GOAL),
        ("laws broken", "laws_broken", 0),
    ):
        met = "met" if ours[key] <= goal else "MISSED"
        yield f"  {name:<14} {_cell(ours[key], 7, '.3f')}  at most {goal:<5} {met}"
    others = [name for name in policies if _is_of_others(name)]
    unbroken = [name for name in others if policies[name]["laws_broken"] == 0]
    if others:
        told = f"not by {', '.join(unbroken)}" if unbroken else "met"
        text = f"  laws broken by each of the others: {told}"
        yield from wrap(text, WIDTH, subsequent_indent="    ")


def _is_of_others(name: str) -> bool:
    return name.startswith(("langchain", "litellm", "sliding_window", "clear_every"))


def _trust(policies: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """How far the figures hold."""
    none = policies.get(NONE, {})
    near, telling = none.get("simulated_by_billed"), none.get("recognisable_results")
    if near is not None:
        text = f"The simulation costs {near:.3f} of what the prompts of none were billed."
        yield from ("", *wrap(text, WIDTH))
    if telling is not None:
        text = f"Of the tool results, {telling:.0%} hold a distinctive string of their own."
        if telling < TELLING:
            text += (
                " The text of this tree is filler, so that use of most results cannot be seen, and"
                " its regret is too low: see --source reuse."
            )
        yield from wrap(text, WIDTH)
    for name, each in policies.items():
        if each.get("note"):
            yield from wrap(f"{name}: {each['note']}.", WIDTH, subsequent_indent="  ")
