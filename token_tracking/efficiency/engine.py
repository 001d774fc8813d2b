"""`EfficiencyEngine`: baselines by name."""

from token_tracking.efficiency.baselines import Baseline, no_cache
from token_tracking.efficiency.cache import CacheFigures, CacheSums, cache_figures
from token_tracking.errors import UnknownBaselineError
from token_tracking.pricing import Cost
from token_tracking.usage import Usage


class EfficiencyEngine:
    """Baselines and what they say was saved."""

    def calculate_baseline(self, name: str, usage: Usage, cost: Cost) -> Baseline:
        """The baseline `name` of one message.

        Raises:
            UnknownBaselineError: there is none of that name.
        """
        if name != "no_cache":
            raise UnknownBaselineError(
                f"There is no baseline {name!r}: the one there is: no_cache."
            )
        return no_cache(usage, cost)

    def cache_figures(self, sums: CacheSums) -> CacheFigures:
        """What caching did over some messages."""
        return cache_figures(sums)
