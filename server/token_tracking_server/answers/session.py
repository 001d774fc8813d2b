"""What one session cost, and why."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo

from token_tracking.metrics import SessionReport
from token_tracking.store import SessionData, Sums, TokenUsage, ToolSum
from token_tracking_server.answers.jit import jit_block
from token_tracking_server.answers.markdown import bullets, code, fold, paragraphs, row, table
from token_tracking_server.answers.sums import (
    BASIS,
    HEAD,
    caching,
    cells,
    cost,
    counted,
    gaps,
    model_name,
    named,
)
from token_tracking_server.figures import size, tokens


def session_answer(
    session: SessionReport,
    zone: tzinfo,
    *,
    items: str | None = None,
    chosen: str | None = None,
    stale: str | None = None,
) -> str:
    """A session's report. `items` names its dearest, `chosen` says why it is this session, `stale`
    what is not up to date."""
    models, sums = session.models, session.sums
    calls = sum(tool.calls for tool in session.tools)
    return paragraphs(
        f"**Session {code(session.session_id)}: {cost(sums)}**",
        stale,
        caching(sums) if session.messages else _nothing_of_its_own(session),
        bullets(list(_facts(session, zone, calls, chosen))),
        _kinds(sums) if session.messages else None,
        _models(models) if len(models) > 1 else None,
        _tools(session.tools, calls) if session.tools else None,
        items,
        jit_block(session.jit) if session.jit else None,
        bullets([*_inherited(session), *gaps(sums, _unpriced(session.messages))]),
        BASIS,
    )


def _facts(session: SessionData, zone: tzinfo, calls: int, chosen: str | None) -> Iterable[str]:
    if chosen:
        yield chosen
    models = {message.model or "" for message in session.messages}
    yield " · ".join(
        filter(
            None,
            (
                span(session.first_at, session.last_at, zone),
                f"project {code(session.project, 80)}" if session.project else None,
                counted(len(session.messages), "message"),
                counted(calls, "tool call") if calls else None,
                model_name(models.pop()) if len(models) == 1 else None,
            ),
        )
    )
    helpers = [each for each in session.messages if each.agent_id or each.is_sidechain]
    if helpers:
        sums = sum(map(Sums.of, helpers), start=Sums())
        yield f"Of these, {counted(len(helpers), 'message')} by subagents: {cost(sums)}"


def span(first_at: int, last_at: int, zone: tzinfo) -> str:
    """From and to, in the days of `zone`: milliseconds since 1970 UTC."""
    first, last = (
        datetime.fromtimestamp(at / 1000, UTC).astimezone(zone) for at in (first_at, last_at)
    )
    same_day = first.date() == last.date()
    return (
        f"{first:%Y-%m-%d %H:%M} to {last:{'%H:%M' if same_day else '%Y-%m-%d %H:%M'} %Z}".strip()
    )


def _nothing_of_its_own(session: SessionData) -> str:
    if session.inherited:
        return "It has no messages of its own yet: all that stand in it were copied from others."
    return "It has no messages yet."


def _kinds(sums: Sums) -> str:
    counts = {
        "Input, uncached": sums.input_tokens,
        "Cache read": sums.cache_read_tokens,
        "Cache write, 5 minutes": sums.cache_write_5m_tokens,
        "Cache write, 1 hour": sums.cache_write_1h_tokens,
        "Output": sums.output_tokens,
    }
    rows = [row([kind, tokens(count)]) for kind, count in counts.items() if count]
    rows.append(row(["**All**", f"**{tokens(sums.total_tokens)}**"]))
    return table(["Tokens", "Count"], rows)


def _models(models: dict[str, Sums]) -> str:
    def others(rest: Sequence[tuple[str, Sums]]) -> str:
        return row(
            [f"and {len(rest):,} more", *cells(sum((sums for _, sums in rest), start=Sums()))]
        )

    rows = fold(
        list(models.items()),
        lambda item: row([model_name(item[0]), *cells(item[1])]),
        others,
        most=8,
        size=1_400,
    )
    return table(["Model", *HEAD], rows)


def _tools(tools: list[ToolSum], calls: int) -> str:
    def others(rest: Sequence[ToolSum]) -> str:
        sums = sum(tool.calls for tool in rest), sum(tool.result_bytes for tool in rest)
        return row([f"and {len(rest):,} more", f"{sums[0]:,}", size(sums[1])])

    rows = fold(
        sorted(tools, key=lambda tool: (-tool.result_bytes, -tool.calls, tool.name)),
        lambda tool: row([_tool_name(tool), f"{tool.calls:,}", size(tool.result_bytes)]),
        others,
        most=15,
        size=1_600,
    )
    if len(tools) > 1:
        sums = f"{calls:,}", size(sum(tool.result_bytes for tool in tools))
        rows.append(row(["**All**", *(f"**{text}**" for text in sums)]))
    return table(["Tool", "Calls", "Results"], rows)


def _tool_name(tool: ToolSum) -> str:
    return code(f"{tool.server}: {tool.name}" if tool.server else tool.name)


def _inherited(session: SessionData) -> Iterable[str]:
    if not session.inherited:
        return
    count = sum(session.inherited.values())
    owners = sorted(session.inherited.items(), key=lambda item: (-item[1], item[0]))
    shown = named([f"{code(owner) if owner else 'no session'} ({n:,})" for owner, n in owners])
    yield (
        f"{counted(count, 'message')} came from another session, which this one was forked or"
        f" resumed from: {shown}. They are counted there, not here."
    )


def _unpriced(messages: Iterable[TokenUsage]) -> dict[str, int]:
    return Counter(each.model or "" for each in messages if each.cost_pico is None)
