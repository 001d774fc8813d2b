"""What the same work would have used otherwise: baselines, as pure functions."""

from token_tracking.efficiency.baselines import Baseline, Basis, no_cache
from token_tracking.efficiency.cache import CacheFigures, cache_figures
from token_tracking.efficiency.engine import EfficiencyEngine

__all__ = [
    "Baseline",
    "Basis",
    "CacheFigures",
    "EfficiencyEngine",
    "cache_figures",
    "no_cache",
]
