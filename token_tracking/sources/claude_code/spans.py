"""When each session of a file lived."""

from token_tracking.reading import SessionSpan


class Spans:
    """Collects the times of lines, session by session."""

    def __init__(self) -> None:
        self._first: dict[str, int] = {}
        self._last: dict[str, int] = {}
        self._born: dict[str, int] = {}
        self._cwd: dict[str, str | None] = {}

    def see(self, session: str, at: int, cwd: str | None, *, copied: bool) -> None:
        """A line of `session` at `at`; `copied` says whether a fork would have copied it."""
        first = self._first.get(session)
        if first is None:
            self._first[session] = self._last[session] = at
            self._cwd[session] = cwd
        elif at < first or (at == first and (cwd or "") < (self._cwd[session] or "")):
            self._first[session] = at
            self._cwd[session] = cwd
        elif at > self._last[session]:
            self._last[session] = at
        if not copied and at < self._born.get(session, at + 1):
            self._born[session] = at

    def sessions(self) -> list[SessionSpan]:
        """The spans, in the order in which the sessions were seen."""
        return [
            SessionSpan(
                session_id=session,
                first_at=first,
                last_at=self._last[session],
                born=self._born.get(session),
                cwd=self._cwd[session],
            )
            for session, first in self._first.items()
        ]
