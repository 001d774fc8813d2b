"""What to do about the money that need not have been spent."""

from collections.abc import Sequence
from typing import Final

from token_tracking.efficiency.snapshot import Advice
from token_tracking_server.answers.markdown import paragraphs, plain
from token_tracking_server.answers.periods import period_name
from token_tracking_server.figures import money

_NOT_A_SUM: Final = (
    "_Money at stake is what it cost in the period beyond what it need have, at API prices."
    " Findings overlap: do not add them up._"
)


def advice_answer(
    found: Sequence[Advice], period: str, *, size: int = 6_500, stale: str | None = None
) -> str:
    """The findings of a period, the dearest first."""
    return paragraphs(
        f"**{period_name(period)}: {_count(len(found))}**",
        stale,
        advice_list(found, size=size) or None,
        _NOT_A_SUM if found else None,
    )


def advice_list(found: Sequence[Advice], most: int = 10, size: int = 6_500) -> str:
    """A numbered list, of as many as `size` characters hold."""
    lines: list[str] = []
    for number, each in enumerate(found[:most], start=1):
        line = _line(number, each)
        if sum(map(len, lines)) + len(line) > size:
            break
        lines.append(line)
    return "\n".join(lines)


def _line(number: int, each: Advice) -> str:
    stake = money(each.at_stake_usd) + ("" if each.basis == "measured" else " (estimated)")
    title = plain(each.title, 150).rstrip(".")
    return (
        f"{number}. **{stake}** {title}. {plain(each.evidence, 400)} **Do:**"
        f" {plain(each.action, 300)}"
    )


def _count(found: int) -> str:
    if not found:
        return "nothing that would have saved money was found"
    return f"{found} finding{'s' if found > 1 else ''}, the dearest first"
