"""All sessions of a tree, replayed with every policy."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from benchmarks.window_replay.anchor import Anchor
from benchmarks.window_replay.billing import LIFETIMES
from benchmarks.window_replay.contents import Contents
from benchmarks.window_replay.outcome import NOTHING, Outcome, Reached
from benchmarks.window_replay.policies import NONE
from benchmarks.window_replay.regret import Recognisable
from benchmarks.window_replay.replaying import PRICES, Replay
from benchmarks.window_replay.subjects import Setting, Start
from benchmarks.window_sessions import ReplaySession
from token_tracking.pricing import limits

LARGE_WINDOW = 1_000_000
USUAL_WINDOW = 200_000


@dataclass
class Total:
    """One policy over all sessions, for either lifetime (what it decides may depend on it): what
    came of it, its sums and those of doing nothing up to the same requests, and the cost of each
    session relative to that. `finished` counts sessions that it came to the
    end of."""

    outcomes: dict[str, Outcome] = field(default_factory=lambda: {t: Outcome() for t in LIFETIMES})
    reached: dict[str, Reached] = field(default_factory=lambda: dict.fromkeys(LIFETIMES, NOTHING))
    beside: dict[str, Reached] = field(default_factory=lambda: dict.fromkeys(LIFETIMES, NOTHING))
    sessions: dict[str, dict[str, float]] = field(
        default_factory=lambda: {t: {} for t in LIFETIMES}
    )
    finished: int = 0


@dataclass
class Results:
    """What was replayed."""

    sessions: int = 0
    requests: int = 0
    totals: dict[str, Total] = field(default_factory=dict[str, Total])
    skipped: dict[str, int] = field(default_factory=dict[str, int])
    anchor: Anchor = field(default_factory=Anchor)
    recognisable: Recognisable = field(default_factory=Recognisable)


async def replay_all(
    sessions: Iterable[ReplaySession], starts: Mapping[str, Start], min_tokens: int
) -> Results:
    """Replay the sessions of which a prompt passes `min_tokens`. `none` has to be the first."""
    results = Results(totals={name: Total() for name in starts})
    for session in sessions:
        for reason, count in session.skipped.items():
            results.skipped[reason] = results.skipped.get(reason, 0) + count
        largest = max(_prompts(session), default=0)
        if not largest or largest < min_tokens:
            continue
        results.sessions += 1
        results.requests += sum(len(each.requests) for each in session.conversations)
        await _Session(session, largest, results).replay(starts)
    return results


class _Session:
    """One session, through all policies."""

    def __init__(self, session: ReplaySession, largest: int, results: Results) -> None:
        self._id = session.session_id
        self._conversations = [each for each in session.conversations if each.requests]
        self._contents = list(map(Contents, self._conversations))
        self._largest = largest
        self._results = results
        self._alone: list[list[Reached]] = []
        """What nobody edited had cost, by conversation, after each request."""

    async def replay(self, starts: Mapping[str, Start]) -> None:
        for conversation, known in zip(self._conversations, self._contents, strict=True):
            self._results.recognisable.add(conversation, known)
        for name, start in starts.items():
            total = self._results.totals[name]
            alike, replays = False, list[Replay]()
            for ttl in LIFETIMES:
                if not alike:
                    replays = [each async for each in self._replays(start, ttl)]
                    alike = all(each.subject.ignores_lifetime for each in replays)
                    if name == NONE:
                        self._note_alone(replays)
                self._add(total, ttl, replays)
            total.finished += not any(each.outcome.gave_up for each in replays)

    async def _replays(self, start: Start, ttl: str) -> AsyncIterator[Replay]:
        for conversation, known in zip(self._conversations, self._contents, strict=True):
            model = conversation.requests[0].model
            window = window_of(model, self._largest)
            setting = Setting(model, window, conversation.base_tokens, ttl, self._id)
            replay = Replay(conversation, known, start(setting), window)
            await replay.run()
            yield replay
            await asyncio.sleep(0)

    def _note_alone(self, replays: list[Replay]) -> None:
        self._alone = [each.course for each in replays]
        for conversation, course in zip(self._conversations, self._alone, strict=True):
            self._results.anchor.add(conversation, course[-1], PRICES)

    def _add(self, total: Total, ttl: str, replays: list[Replay]) -> None:
        """Add to a policy's sums; what it began and did not answer counts on neither side."""
        beside, reached, whole = NOTHING, NOTHING, Outcome()
        for replay, alone in zip(replays, self._alone, strict=True):
            whole.add(replay.outcome)
            if replay.course:
                reached += replay.course[-1]
                beside += alone[len(replay.course) - 1]
        total.outcomes[ttl].add(whole)
        total.reached[ttl] += reached
        total.beside[ttl] += beside
        if beside.pico[ttl] and not whole.gave_up:
            total.sessions[ttl][self._id] = reached.pico[ttl] / beside.pico[ttl]


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
