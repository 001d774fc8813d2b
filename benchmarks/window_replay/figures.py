"""The figures of a replay, each policy's relative to `none`."""

from statistics import median
from typing import Any

from benchmarks.window_replay.billing import LIFETIMES
from benchmarks.window_replay.outcome import Outcome
from benchmarks.window_replay.policies import NONE
from benchmarks.window_replay.running import Results, Total

_NO_FIGURES = (
    "tokens",
    "cost_5m",
    "cost_1h",
    "worst_session",
    "refused",
    "laws_broken",
    "prepare_ms_p50",
)


def figures(results: Results) -> dict[str, Any]:
    """All of them, as they are printed with `--json`."""
    policies = {name: _policy(total, results) for name, total in results.totals.items()}
    if NONE in policies:
        policies[NONE] |= {
            "simulated_by_billed": rounded(results.anchor.ratio),
            "recognisable_results": rounded(results.recognisable.share),
        }
    return {"sessions": results.sessions, "requests": results.requests, "policies": policies}


def missing(reason: str) -> dict[str, Any]:
    """For a policy that could not be run."""
    return {**dict.fromkeys(_NO_FIGURES), "note": f"missing: {reason}"}


def rounded(value: float | None) -> float | None:
    """To four places."""
    return None if value is None else round(value, 4)


def _policy(total: Total, results: Results) -> dict[str, Any]:
    outcomes = list(total.outcomes.values())
    worst = {f"worst_session_{ttl}": _worst(total, ttl) for ttl in LIFETIMES}
    laws = {
        law: max(each.laws.get(law, 0) for each in outcomes)
        for law in sorted({law for each in outcomes for law in each.laws})
    }
    seconds = [second for each in outcomes for second in each.seconds]
    return {
        "tokens": _ratio(total, "5m", "tokens"),
        "cost_5m": _ratio(total, "5m", "prompts"),
        "cost_1h": _ratio(total, "1h", "prompts"),
        "worst_session": max(filter(None, worst.values()), default=None),
        "refused": rounded(max(map(_refused, outcomes))),
        "laws_broken": sum(laws.values()),
        "prepare_ms_p50": rounded(median(seconds) * 1000) if seconds else None,
        "tokens_1h": _ratio(total, "1h", "tokens"),
        "cost_with_answers_5m": _ratio(total, "5m", "all"),
        "cost_with_answers_1h": _ratio(total, "1h", "all"),
        **worst,
        **{f"used_again_{ttl}": _again(total.outcomes[ttl]) for ttl in LIFETIMES},
        "stability": _stability(total.outcomes["5m"]),
        "laws": laws,
        "errors": max(each.errors for each in outcomes),
        "gave_up": results.sessions - total.finished,
        "note": _note(total, results),
    }


def _ratio(total: Total, ttl: str, what: str) -> float | None:
    ours, alone = total.reached[ttl], total.beside[ttl]
    if what == "tokens":
        pair = ours.tokens, alone.tokens
    else:
        answers = what == "all"
        pair = (
            ours.pico[ttl] + answers * ours.answers_pico,
            alone.pico[ttl] + answers * alone.answers_pico,
        )
    return rounded(pair[0] / pair[1]) if pair[1] else None


def _worst(total: Total, ttl: str) -> float | None:
    return rounded(max(total.sessions[ttl].values(), default=None))


def _refused(outcome: Outcome) -> float:
    return outcome.refused / max(1, outcome.bill.requests)


def _again(outcome: Outcome) -> float | None:
    return rounded(outcome.used_again / outcome.cleared) if outcome.cleared else None


def _stability(outcome: Outcome) -> float | None:
    bill = outcome.bill
    return rounded(bill.stable_tokens / bill.comparable_tokens) if bill.comparable_tokens else None


def _note(total: Total, results: Results) -> str | None:
    """What has to be known before its figures are believed."""
    told: list[str] = []
    left = results.sessions - total.finished
    if left:
        told.append(
            f"gave up in {left} of {results.sessions} sessions: its figures are those of the"
            " requests before"
        )
    outcome = total.outcomes["5m"]
    told += [f"{note} ({count}x)" for note, count in sorted(outcome.notes.items())]
    return "; ".join(told) or None
