"""Another model in the middle of a conversation: it has to write the whole prompt for itself."""

from collections.abc import Iterator

from token_tracking.efficiency.advice.kinds import MODEL_SWITCH
from token_tracking.efficiency.advice.prices import paid
from token_tracking.efficiency.advice.quarters import ByQuarter
from token_tracking.efficiency.advice.steps import Steps
from token_tracking.shares import Finding


def model_switches(steps: Steps) -> Iterator[Finding]:
    """What a request cost more than reading what the model before it had in the cache, by the new
    model's rates. What its lifetime had ended anyway is no part of it."""
    found = ByQuarter(MODEL_SWITCH)
    for step in steps.own:
        request, before, rates = step.request, step.before, step.request.rates
        if before is None or rates is None or before.model == request.model:
            continue
        read = request.usage.cache_read_tokens
        lost = step.kept - read
        pico = paid(request, read, step.kept) - lost * rates.cache_read if lost > 0 else 0
        if pico > 0:
            subject = f"{before.model or 'unknown'} to {request.model or 'unknown'}"
            found.add(subject, request.at, pico, lost, 1)
    return found.findings()
