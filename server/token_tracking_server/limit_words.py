"""Quotas in words."""

from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from token_tracking.limits import QuotaStatus
from token_tracking.limits.quotas.forecast import NOT_BEFORE, REACHED
from token_tracking_server.figures import money, tokens
from token_tracking_server.printable import printable

NONE = (
    "No quotas are set. They stand in the gateway's configuration, as [[quotas]]:"
    " token-tracking gateway --config FILE."
)


def whose(status: QuotaStatus) -> str:
    """`user anna, day`."""
    return f"{status.subject} {printable(status.name) or '(none named)'}, {status.period}"


def title(status: QuotaStatus) -> str:
    """`user anna: tokens per day`, and whether it refuses."""
    measure = "dollars" if status.measure == "usd" else status.measure
    named = f"{status.subject} {printable(status.name) or '(none named)'}"
    return f"{named}: {measure} per {status.period}" + ("" if status.is_hard else " (alerts only)")


def amount(value: int | Decimal) -> str:
    """Tokens or USD."""
    return money(value) if isinstance(value, Decimal) else tokens(value)


def moment(at: int, zone: tzinfo) -> str:
    """A time to the minute, in the days of `zone`."""
    return f"{datetime.fromtimestamp(at / 1000, UTC).astimezone(zone):%m-%d %H:%M}"


def expected(status: QuotaStatus, zone: tzinfo) -> str:
    """When the limit will be reached."""
    if status.forecast_at is not None:
        return f"about {moment(status.forecast_at, zone)}"
    return {REACHED: "reached", NOT_BEFORE: "no"}.get(status.forecast_note, "unknown")


def notes(statuses: list[QuotaStatus]) -> list[str]:
    """What the figures leave open."""
    found: list[str] = []
    for status in statuses:
        if status.measure == "usd" and status.unpriced:
            found.append(f"{whose(status)}: without {status.unpriced:,} requests of unknown price.")
        if status.estimated:
            found.append(
                f"{whose(status)}: {status.estimated:,} requests broke off before they told what"
                " was billed; they count with what was reserved."
            )
    return list(dict.fromkeys(found))
