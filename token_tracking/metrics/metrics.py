"""`TokenMetrics`: summaries, sessions and reports over the store."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from msgspec import Struct

from token_tracking.efficiency.cache import CacheFigures, cache_figures
from token_tracking.metrics.blocks import blocks
from token_tracking.metrics.periods import Period, parse_period, time_zone
from token_tracking.metrics.report import By, Report, ReportRow, date_label, fold, total
from token_tracking.pricing import normalize_model
from token_tracking.store import MessageSums, Sums, TokenStore

if TYPE_CHECKING:
    from token_tracking.efficiency import EfficiencyEngine, Prices
    from token_tracking.efficiency.attribution import Attribution
    from token_tracking.metrics.session import SessionReport


class Summary(Struct, frozen=True, kw_only=True):
    """A period as a whole."""

    period: Period
    sums: Sums
    cache: CacheFigures
    models: dict[str, Sums]
    unpriced_models: dict[str, int]


class LedgerCounts(Struct, frozen=True, kw_only=True):
    """What the whole ledger was made from, and holds."""

    files: int
    lines: int
    malformed_lines: int
    unusable_lines: int
    sessions: int
    sums: Sums
    messages_by_model: dict[str, int]
    unpriced_models: dict[str, int]


class TokenMetrics:
    """The query API over a ledger. Days are those of `zone` (the machine's by default).

    `prices` are those of baselines that the ledger does not hold; the store's by default.
    """

    def __init__(
        self,
        store: TokenStore,
        zone: tzinfo | None = None,
        *,
        efficiency: "EfficiencyEngine | None" = None,
        prices: "Prices | None" = None,
    ) -> None:
        self._store = store
        self._efficiency = efficiency
        self._prices = prices or store.prices
        self.zone = zone or time_zone()

    async def get_summary(self, period: str = "all") -> Summary:
        """Sums, caching and models of a period (see `parse_period`).

        Raises:
            InvalidPeriodError: there is no such period.
        """
        span = parse_period(period, self.zone)
        cells = await self._store.totals("quarter", start=span.start, end=span.end)
        models = {model: total(sums) for model, sums in _by_model(cells).items()}
        sums = total(models.values())
        return Summary(
            period=span,
            sums=sums,
            cache=cache_figures(sums),
            models=models,
            unpriced_models=_unpriced(models),
        )

    async def get_session_data(
        self, session_id: str, *, prices: "Prices | None" = None
    ) -> "SessionReport":
        """A session: its own messages, what it inherited, its tools, and what just-in-time content
        did to it, at `prices` where others than the usual ones hold by now.

        Raises:
            UnknownSessionError: the ledger has no such session.
        """
        from token_tracking.efficiency import EfficiencyEngine  # noqa: PLC0415 (start-up)
        from token_tracking.metrics.session import session_report  # noqa: PLC0415 (start-up)

        data = await self._store.get_session_data(session_id)
        loads = await self._store.session_loads(session_id)
        engine = self._efficiency or EfficiencyEngine()
        if loads:
            engine = engine.calibrated(await self._store.multipliers())
        return session_report(data, loads, engine, prices or self._prices)

    async def get_session_attribution(self, session_id: str) -> "Attribution":
        """Which items of its prompts a session's tokens and money went to, to the token and to
        the pico-dollar. Empty for a session that the ledger does not know."""
        from token_tracking.efficiency import EfficiencyEngine  # noqa: PLC0415 (start-up)
        from token_tracking.metrics.attribution import session_attribution  # noqa: PLC0415 (start-up)

        chains = await self._store.session_chains(session_id)
        engine = self._efficiency or EfficiencyEngine()
        scale = engine.calibrated(await self._store.multipliers()).scale
        return session_attribution(chains, self._store.prices, scale)

    async def get_ledger_counts(self) -> LedgerCounts:
        """What the ledger was made from, and holds."""
        files, lines, malformed, unusable = await self._store.line_counts()
        cells = await self._store.totals("session")
        models = {model: total(sums) for model, sums in _by_model(cells).items()}
        return LedgerCounts(
            files=files,
            lines=lines,
            malformed_lines=malformed,
            unusable_lines=unusable,
            sessions=len({session for session, _, _ in cells}),
            sums=total(models.values()),
            messages_by_model={model: sums.messages for model, sums in models.items()},
            unpriced_models=_unpriced(models),
        )

    async def get_report(
        self,
        by: By = "day",
        period: str = "all",
        *,
        model: str | None = None,
        project: str | None = None,
    ) -> Report:
        """Totals by `by` over a period, of one model or project where one is named.

        `model` is a name in any spelling, or a part of one; `project` a path, or a part of one.

        Raises:
            InvalidPeriodError: there is no such period.
        """
        span = parse_period(period, self.zone)
        rows = await self._rows(by, span, await self._projects(project), model)
        models = fold((None, name, sums) for row in rows for name, sums in row.models.items())
        sums = models.get(None, {})
        return Report(
            by=by,
            period=period,
            rows=rows,
            totals=total(sums.values()),
            unpriced_models=_unpriced(sums),
        )

    async def _rows(
        self, by: By, span: Period, projects: list[int] | None, model: str | None
    ) -> list[ReportRow]:
        is_model = await self._chosen_models(model)
        if by == "block":
            return await self._blocks(span, projects, is_model)
        grouping = by if by in {"project", "session"} else "quarter"
        cells = await self._store.totals(
            grouping,  # pyright: ignore[reportArgumentType]
            start=span.start,
            end=span.end,
            projects=projects,
        )
        chosen = [cell for cell in cells if is_model(cell[1])]
        if by == "model":
            rows = fold((name, name, sums) for _, name, sums in chosen)
        elif by in {"project", "session"}:
            rows = fold(chosen)
        else:
            label = date_label(by, self.zone)
            rows = fold((label(quarter), name, sums) for quarter, name, sums in chosen)
        found = [
            ReportRow(label=label, sums=total(models.values()), models=models)
            for label, models in rows.items()
        ]
        return await self._ordered(by, found)

    async def _ordered(self, by: By, rows: list[ReportRow]) -> list[ReportRow]:
        if by in {"model", "project"}:
            return sorted(rows, key=lambda row: (-row.sums.cost_pico, row.label))
        if by != "session":
            return sorted(rows, key=lambda row: row.label)
        facts = await self._store.session_facts()
        sessions = [
            ReportRow(
                label=row.label,
                sums=row.sums,
                models=row.models,
                project=facts[row.label][0],
                first_at=facts[row.label][1],
                last_at=facts[row.label][2],
            )
            for row in rows
        ]
        return sorted(sessions, key=lambda row: (row.last_at or 0, row.label))

    async def _blocks(
        self, span: Period, projects: list[int] | None, is_model: Callable[[str], bool]
    ) -> list[ReportRow]:
        """Blocks are those of all messages, as plans count them; their sums are of those chosen."""
        messages = await self._store.message_sums(end=span.end)
        rows: list[ReportRow] = []

        def is_chosen(message: MessageSums) -> bool:
            return (
                (span.start is None or message.at >= span.start)
                and (projects is None or message.project in projects)
                and is_model(message.model)
            )

        for block in blocks(messages, is_chosen):
            begin = datetime.fromtimestamp(block.first_at / 1000, UTC).astimezone(self.zone)
            rows.append(
                ReportRow(
                    label=begin.isoformat(timespec="seconds"),
                    sums=total(block.models.values()),
                    models=block.models,
                    first_at=block.first_at,
                    last_at=block.last_at,
                )
            )
        return rows

    async def _chosen_models(self, wanted: str | None) -> Callable[[str], bool]:
        """The model that `wanted` names in any spelling, or else those whose names hold it."""
        if wanted is None:
            return lambda _: True
        known = {model for _, model, _ in await self._store.totals("quarter")}
        normal = normalize_model(wanted)
        exact = {model for model in known if wanted == model or normalize_model(model) == normal}
        part = {model for model in known if wanted.lower() in model.lower()}
        return (exact or part).__contains__

    async def _projects(self, wanted: str | None) -> list[int] | None:
        if wanted is None:
            return None
        known = await self._store.projects()
        if wanted in known:
            return [known[wanted]]
        return [row for path, row in known.items() if wanted.lower() in path.lower()]


def _by_model(cells: Iterable[tuple[object, str, Sums]]) -> dict[str, list[Sums]]:
    models: dict[str, list[Sums]] = {}
    for _, model, sums in cells:
        models.setdefault(model, []).append(sums)
    return models


def _unpriced(models: dict[str, Sums]) -> dict[str, int]:
    return {
        model: sums.unpriced_messages for model, sums in models.items() if sums.unpriced_messages
    }
