"""All sessions of a tree, replayed with every policy."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from benchmarks.window_replay.billing import LIFETIMES
from benchmarks.window_replay.contents import Contents
from benchmarks.window_replay.policies import NONE
from benchmarks.window_replay.replaying import Outcome, Replay
from benchmarks.window_replay.subjects import Setting, Start
from benchmarks.window_sessions import Conversation, ReplaySession
from token_tracking.pricing import limits

LARGE_WINDOW = 1_000_000
USUAL_WINDOW = 200_000


@dataclass
class Total:
    """One policy over all sessions: outcomes for either lifetime (what it decides may depend on
    it), and the cost of each session relative to none."""

    outcomes: dict[str, Outcome] = field(default_factory=lambda: {t: Outcome() for t in LIFETIMES})
    sessions: dict[str, dict[str, float]] = field(
        default_factory=lambda: {t: {} for t in LIFETIMES}
    )


@dataclass
class Results:
    """What was replayed."""

    sessions: int = 0
    requests: int = 0
    totals: dict[str, Total] = field(default_factory=dict[str, Total])
    skipped: dict[str, int] = field(default_factory=dict[str, int])


async def replay_all(
    sessions: Iterable[ReplaySession], starts: Mapping[str, Start], min_tokens: int
) -> Results:
    """Replay the sessions of which a prompt passes `min_tokens`."""
    results = Results(totals={name: Total() for name in starts})
    for session in sessions:
        for reason, count in session.skipped.items():
            results.skipped[reason] = results.skipped.get(reason, 0) + count
        largest = max(_prompts(session), default=0)
        if not largest or largest < min_tokens:
            continue
        results.sessions += 1
        results.requests += sum(len(each.requests) for each in session.conversations)
        for ttl in LIFETIMES:
            await _replay_session(session, starts, ttl, largest, results)
    return results


async def _replay_session(
    session: ReplaySession, starts: Mapping[str, Start], ttl: str, largest: int, results: Results
) -> None:
    contents = [Contents(conversation) for conversation in session.conversations]
    costs: dict[str, int] = {}
    for name, start in starts.items():
        whole = Outcome()
        for conversation, known in zip(session.conversations, contents, strict=True):
            if conversation.requests:
                whole.add(await _replay(conversation, known, start, ttl, largest))
            await asyncio.sleep(0)
        total = results.totals[name]
        total.outcomes[ttl].add(whole)
        costs[name] = whole.bill.pico[ttl]
        if costs.get(NONE):
            total.sessions[ttl][session.session_id] = costs[name] / costs[NONE]


async def _replay(
    conversation: Conversation, contents: Contents, start: Start, ttl: str, largest: int
) -> Outcome:
    model = conversation.requests[0].model
    window = window_of(model, largest)
    setting = Setting(model, window, conversation.base_tokens, ttl)
    return await Replay(conversation, contents, start(setting), window).run()


def window_of(model: str, largest: int) -> int:
    """The window that the conversation was held in: what is known of the model, or the larger one
    where a prompt of the session passed that."""
    known = limits(model)
    window = known.context_window if known else None
    window = window or USUAL_WINDOW
    return window if largest <= window else LARGE_WINDOW


def _prompts(session: ReplaySession) -> Iterator[int]:
    for conversation in session.conversations:
        for request in conversation.requests:
            yield request.prompt_tokens
