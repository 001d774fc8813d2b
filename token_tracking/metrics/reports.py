"""Summaries, and totals by day, model, project and so on."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from msgspec import Struct

from token_tracking.efficiency.cache import CacheFigures, cache_figures
from token_tracking.metrics.blocks import blocks
from token_tracking.metrics.periods import Period, PeriodLike, parse_period
from token_tracking.metrics.questions import Questions
from token_tracking.metrics.report import By, Report, ReportRow, date_label, fold, total
from token_tracking.pricing import normalize_model
from token_tracking.store import MessageSums, Sums


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


class ReportQuestions(Questions):
    """What the ledger has of messages."""

    async def get_summary(self, period: PeriodLike = "all") -> Summary:
        """Sums, caching and models of a period (see `parse_period`).

        Raises:
            InvalidPeriodError: there is no such period.
        """
        span = parse_period(period, self.zone)
        cells = await self.store.totals("quarter", start=span.start, end=span.end)
        models = {model: total(sums) for model, sums in _by_model(cells).items()}
        sums = total(models.values())
        return Summary(
            period=span,
            sums=sums,
            cache=cache_figures(sums),
            models=models,
            unpriced_models=_unpriced(models),
        )

    async def get_ledger_counts(self) -> LedgerCounts:
        """What the ledger was made from, and holds."""
        files, lines, malformed, unusable = await self.store.line_counts()
        cells = await self.store.totals("session")
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
        period: PeriodLike = "all",
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
            period=span.name,
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
        cells = await self.store.totals(
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
        facts = await self.store.session_facts()
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
        messages = await self.store.message_sums(end=span.end)
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
        known = {model for _, model, _ in await self.store.totals("quarter")}
        normal = normalize_model(wanted)
        exact = {model for model in known if wanted == model or normalize_model(model) == normal}
        part = {model for model in known if wanted.lower() in model.lower()}
        return (exact or part).__contains__

    async def _projects(self, wanted: str | None) -> list[int] | None:
        if wanted is None:
            return None
        known = await self.store.projects()
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
