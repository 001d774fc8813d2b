"""The gateway's quotas."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

from token_tracking.limits import QuotaStatus
from token_tracking_server.answers.markdown import (
    bullets,
    code,
    fold,
    paragraphs,
    plain,
    row,
    table,
)
from token_tracking_server.limit_words import NONE, amount, expected, moment, notes
from token_tracking_server.limits import Limits

_MOST: Final = 40
_SIZE: Final = 5_000
_HEAD: Final = ("Quota", "Kind", "Used", "Held", "Limit", "Share", "Resets", "Full at this pace")


def limits_answer(limits: Limits, zone: tzinfo) -> str:
    """Each quota that is used or named, then the newest alerts."""
    if not limits.quotas:
        return NONE
    lines = fold(limits.quotas, lambda each: _line(each, zone), _rest, most=_MOST, size=_SIZE)
    alerts = [
        f"{moment(each.raised_at, zone)}: {plain(str(each), 200)}" for each in limits.alerts[:5]
    ]
    said = [plain(note, 200) for note in notes(limits.quotas)]
    return paragraphs(
        f"Quotas of the gateway ({zone}); when they are full is estimated.",
        table(_HEAD, lines, texts=2),
        bullets(said),
        f"Alerts:\n{bullets(alerts)}" if alerts else None,
    )


def _line(status: QuotaStatus, zone: tzinfo) -> str:
    name = code(status.name) if status.name else "(none named)"
    return row(
        [
            f"{status.subject} {name}, {status.period}",
            "hard" if status.is_hard else "soft",
            amount(status.used),
            amount(status.reserved),
            amount(status.limit),
            f"{status.share:.0%}",
            moment(status.resets_at, zone),
            expected(status, zone),
        ]
    )


def _rest(rows: Sequence[QuotaStatus]) -> str:
    return row([f"{len(rows):,} more", *[""] * (len(_HEAD) - 1)])
