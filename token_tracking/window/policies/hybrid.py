"""Old results first, then a summary, and at last whole turns."""

from token_tracking.window.draft import Draft
from token_tracking.window.policies.clear import ClearToolResults
from token_tracking.window.policies.policy import Policy
from token_tracking.window.policies.sliding import SlidingWindow
from token_tracking.window.policies.summarize import KEEP_TURNS, MAX_TOKENS, TIMEOUT, Summarize
from token_tracking.window.summaries import Summariser


class Hybrid:
    """`ClearToolResults`, then `Summarize` where the prompt is still past its threshold, and
    `SlidingWindow` as the last resort: what is cheapest to lose goes first.

    Args:
        summariser, threshold, keep_turns, max_tokens, timeout, price_ratio: as for `Summarize`;
            `keep_turns` is for `SlidingWindow` as well.
        clear: the first step, if it is to be another than `ClearToolResults()`.
        slide: the last step, if it is to be another.

    Raises:
        InvalidBudgetError: a number makes no sense, or the summariser cannot be called.
    """

    def __init__(
        self,
        summariser: Summariser,
        *,
        threshold: float | None = None,
        keep_turns: int = KEEP_TURNS,
        max_tokens: int = MAX_TOKENS,
        timeout: float = TIMEOUT,
        price_ratio: float = 1.0,
        clear: ClearToolResults | None = None,
        slide: SlidingWindow | None = None,
    ) -> None:
        self.policies: tuple[Policy, ...] = (
            clear or ClearToolResults(),
            Summarize(
                summariser,
                threshold=threshold,
                keep_turns=keep_turns,
                max_tokens=max_tokens,
                timeout=timeout,
                price_ratio=price_ratio,
            ),
            slide or SlidingWindow(keep_turns=keep_turns),
        )

    @property
    def name(self) -> str:
        """As in actions; what is done there has the name of the policy that did it."""
        return "hybrid"

    async def shape(self, draft: Draft) -> None:
        """Let each of them act, in their order."""
        for policy in self.policies:
            await policy.shape(draft)
