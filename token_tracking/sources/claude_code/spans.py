"""When each session of a file lived."""

from token_tracking.reading import SessionSpan


class Spans:
    """Collects the times of lines, session by session."""

    def __init__(self) -> None:
        self._first: dict[str, int] = {}
        self._last: dict[str, int] = {}
        self._born: dict[str, int] = {}
        self._cwd: dict[str, tuple[int, str]] = {}

    def see(self, session: str, at: int, cwd: str | None, *, copied: bool) -> None:
        """A line of `session` at `at`; `copied` says whether a fork would have copied it."""
        first = self._first.get(session)
        if first is None:
            self._first[session] = self._last[session] = at
        elif at < first:
            self._first[session] = at
        elif at > self._last[session]:
            self._last[session] = at
        if not copied and at < self._born.get(session, at + 1):
            self._born[session] = at
        if cwd:
            began = self._cwd.get(session)
            if began is None or at < began[0] or (at == began[0] and cwd < began[1]):
                self._cwd[session] = (at, cwd)

    def sessions(self) -> list[SessionSpan]:
        """The spans, in the order in which the sessions were seen."""
        return [self._span(session) for session in self._first]

    def _span(self, session: str) -> SessionSpan:
        cwd_at, cwd = self._cwd.get(session, (None, None))
        return SessionSpan(
            session_id=session,
            first_at=self._first[session],
            last_at=self._last[session],
            born=self._born.get(session),
            cwd=cwd,
            cwd_at=cwd_at,
        )
