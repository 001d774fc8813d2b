"""The policy for who names none."""

from token_tracking.window.budget import Budget
from token_tracking.window.policies.clear import ClearToolResults
from token_tracking.window.policies.emergency import Emergency
from token_tracking.window.policies.policy import Policy
from token_tracking.window.policies.sliding import SlidingWindow


def default_policy(budget: Budget | None = None) -> tuple[Policy, ...]:
    """The cheapest on the replays of `benchmarks/window.py`: old results and long arguments are
    cleared where that pays; and whatever happens, the request fits. A budget that limits the
    history or the prompt is kept by whole turns."""
    if budget is None or (budget.max_history_tokens or budget.max_context_tokens) is None:
        return (ClearToolResults(), Emergency())
    return (ClearToolResults(), SlidingWindow(), Emergency())
