"""What a refusal says."""

from datetime import datetime, tzinfo

from token_tracking.limits.alerts.values import amount
from token_tracking.limits.quotas.amounts import said
from token_tracking.limits.quotas.booking import Refusal
from token_tracking.limits.quotas.errors import QuotaExceededError


def exceeded(refusal: Refusal, zone: tzinfo | None) -> QuotaExceededError:
    """A refusal as an error that says what to do."""
    (quota, name), window = refusal.entry
    used, held, asked, limit = (
        said(refusal.measure, value)
        for value in (refusal.used, refusal.held, refusal.asked, refusal.limit)
    )
    whose = f"{quota.subject} {name!r}" if name else f"requests that name no {quota.subject}"
    resets = datetime.fromtimestamp(window.resets_at / 1000, zone).astimezone(zone)
    text = (
        f"The quota of {whose} is {amount(limit)} per {quota.period}: {amount(used)} used,"
        f" {amount(held)} held by requests under way, and this request may take"
        f" {amount(asked)}. {_advice(refusal)} The quota resets at"
        f" {resets.isoformat(' ', 'minutes')}."
    )
    return QuotaExceededError(
        text,
        quota=quota,
        name=name,
        measure=refusal.measure,
        used=used,
        reserved=held,
        asked=asked,
        limit=limit,
        resets_at=window.resets_at,
    )


def _advice(refusal: Refusal) -> str:
    if refusal.asked > refusal.limit:
        return "That is more than all of it: ask for less (max_tokens), or raise the quota."
    if refusal.used + max(refusal.asked, 1) <= refusal.limit:
        return "It may fit when those are answered."
    if refusal.used < refusal.limit:
        return "Ask for less (max_tokens), wait, or raise the quota."
    return "Wait, or raise the quota."
