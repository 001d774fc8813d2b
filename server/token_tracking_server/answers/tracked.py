"""What became of a message that was tracked."""

from token_tracking.tracker import Tracked
from token_tracking_server.answers.markdown import code
from token_tracking_server.figures import money, tokens


def tracked_answer(tracked: Tracked, model: str) -> str:
    """One line: what was recorded, and what it cost or why that is unknown."""
    usage = tracked.usage
    name = code(tracked.message_id)
    begin = f"Recorded {name}" if tracked.is_new else f"{name} was in the ledger; it counts once"
    counts = f"{tokens(usage.prompt_tokens)} prompt and {tokens(usage.output_tokens)} output tokens"
    price = money(tracked.cost_usd)
    reason = f" ({code(tracked.unpriced, 300)})" if tracked.unpriced else " at the API's prices"
    return f"{begin}: {counts} of {code(model)}, cost {price}{reason}."
