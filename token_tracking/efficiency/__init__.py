"""What the same work would have used otherwise: baselines, as pure functions."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

_MODULES = {
    "BASELINES": "engine",
    "Baseline": "baselines",
    "Basis": "baselines",
    "Billed": "context",
    "CacheFigures": "cache",
    "Custom": "custom",
    "EfficiencyEngine": "engine",
    "JitContext": "context",
    "Prices": "session",
    "RequestBaseline": "session",
    "RequestView": "custom",
    "Scale": "scale",
    "ScaleOf": "scale",
    "SessionBaseline": "session",
    "cache_figures": "cache",
    "contexts": "context",
    "no_cache": "baselines",
    "no_jit_requests": "session",
    "scales": "scale",
    "without_jit": "no_jit",
}


def __getattr__(name: str) -> object:
    # Reports of periods need the figures of caching alone (PEP 562).
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
