"""A session with what just-in-time content did to it."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import asdict, replace

from token_tracking.efficiency import Basis, EfficiencyEngine, Prices, Scale
from token_tracking.loads import LibrarySize, SessionLoad
from token_tracking.store import SessionData
from token_tracking.usage import SYNTHETIC_MODEL


class JitFigures(Struct, frozen=True, kw_only=True):
    """What just-in-time content did to a session.

    `loads` are the session's own, in order of time. All tokens are as the session's model bills
    them, from counts by the method that each load names. `loaded_tokens` and `overhead_tokens` are
    what entered, once; the overhead is that of the tools' definitions, of searches and of the frame
    of each answer. `rough_loads` are those whose content nobody counted: only a transcript or the
    metadata of a message tells of them; `unsized_loads` those of which nothing tells the size.

    What was saved is against the whole library in every prompt, summed over the requests: negative
    for a loss, and `None` where nothing tells how large the library is. `efficiency` is in percent
    of the baseline. `saved_usd` (USD) is that of the requests that have a price. `error_p95` is
    the relative error of the counts in 95 of 100 texts, where it was measured.
    `over_window_requests` could not have carried the library: for those the baseline is
    hypothetical.
    """

    loads: list[SessionLoad]
    unsized_loads: int
    rough_loads: int
    searches: int
    library_documents: int | None
    library_tokens: int | None
    loaded_tokens: int
    overhead_tokens: int
    requests: int
    baseline_tokens: int | None
    tokens_saved: int | None
    efficiency: float | None
    saved_usd: Decimal | None
    unpriced_requests: int
    unpriced: str | None
    basis: Basis
    error_p95: float | None
    fits_window: bool | None
    over_window_requests: int


class SessionReport(SessionData, frozen=True, kw_only=True):
    """A session's data, and its figures of just-in-time content; `None` where it had none."""

    jit: JitFigures | None = None


def session_report(
    data: SessionData, loads: Sequence[SessionLoad], engine: EfficiencyEngine, prices: Prices
) -> SessionReport:
    """The session with its figures."""
    fields = {name: getattr(data, name) for name in data.__struct_fields__}
    return SessionReport(**fields, jit=_figures(data, loads, engine, prices) if loads else None)


def _figures(
    data: SessionData, loads: Sequence[SessionLoad], engine: EfficiencyEngine, prices: Prices
) -> JitFigures:
    own = [load for load in loads if not load.is_inherited]
    content = [load for load in own if load.kind == "load"]
    scale = engine.scale(_main_model(data))
    library = _latest_library(loads)
    overhead = sum(load.overhead_tokens for load in own)
    baseline = engine.calculate_session_baseline("no_jit", data.messages, loads, prices)
    known = {} if baseline is None else asdict(baseline)
    return JitFigures(
        loads=[_scaled(load, scale) for load in content],
        unsized_loads=sum(load.tokens is None for load in content),
        rough_loads=sum(load.origin in {"transcript", "metadata"} for load in content),
        searches=sum(load.kind == "search" for load in own),
        library_documents=None if library is None else library.documents,
        library_tokens=None if library is None else scale.tokens(library.tokens),
        loaded_tokens=scale.tokens(sum(load.tokens or 0 for load in content)),
        overhead_tokens=scale.tokens(overhead + (library.overhead_tokens if library else 0)),
        requests=known.get("requests", 0),
        baseline_tokens=known.get("baseline_tokens"),
        tokens_saved=None if baseline is None else baseline.tokens_saved,
        efficiency=None if baseline is None else baseline.efficiency,
        saved_usd=known.get("saved_usd"),
        unpriced_requests=known.get("unpriced_requests", 0),
        unpriced=known.get("unpriced"),
        basis=known.get("basis", "unknown"),
        error_p95=known.get("error_p95"),
        fits_window=known.get("fits_window"),
        over_window_requests=known.get("over_window_requests", 0),
    )


def _latest_library(loads: Sequence[SessionLoad]) -> LibrarySize | None:
    """That of the load that entered last; a fork's own before one that it inherited."""
    known = [load for load in loads if load.library]
    return max(known, key=lambda load: load.entered_at).library if known else None


def _scaled(load: SessionLoad, scale: Scale) -> SessionLoad:
    billed = None if load.tokens is None else scale.tokens(load.tokens)
    return replace(load, tokens=billed, overhead_tokens=scale.tokens(load.overhead_tokens))


def _main_model(data: SessionData) -> str | None:
    """The model that answered most of the session's messages."""
    models = Counter(each.model for each in data.messages if each.model != SYNTHETIC_MODEL)
    return max(models, key=lambda model: (models[model], model or ""), default=None)
