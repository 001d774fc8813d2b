"""What the same work would have used otherwise: baselines, as pure functions."""

from token_tracking.efficiency.baselines import Baseline, Basis, no_cache
from token_tracking.efficiency.cache import CacheFigures, cache_figures
from token_tracking.efficiency.context import Billed, JitContext, contexts
from token_tracking.efficiency.custom import Custom, RequestView
from token_tracking.efficiency.engine import BASELINES, EfficiencyEngine
from token_tracking.efficiency.no_jit import without_jit
from token_tracking.efficiency.scale import Scale, ScaleOf, scales
from token_tracking.efficiency.session import (
    Prices,
    RequestBaseline,
    SessionBaseline,
    no_jit_requests,
)

__all__ = [
    "BASELINES",
    "Baseline",
    "Basis",
    "Billed",
    "CacheFigures",
    "Custom",
    "EfficiencyEngine",
    "JitContext",
    "Prices",
    "RequestBaseline",
    "RequestView",
    "Scale",
    "ScaleOf",
    "SessionBaseline",
    "cache_figures",
    "contexts",
    "no_cache",
    "no_jit_requests",
    "scales",
    "without_jit",
]
