"""When each session of a file lived."""

from token_tracking.reading import SessionSpan


class _Span:
    """A span that grows."""

    __slots__ = ("born", "cwd", "cwd_at", "first", "last")

    def __init__(self, at: int) -> None:
        self.first = self.last = at
        self.born: int | None = None
        self.cwd: str | None = None
        self.cwd_at: int | None = None


class Spans:
    """Collects the times of lines, session by session."""

    def __init__(self) -> None:
        self._spans: dict[str, _Span] = {}

    def see(self, session: str, at: int, cwd: str | None, copied: bool) -> None:
        """A line of `session` at `at`; `copied` says whether a fork would have copied it."""
        span = self._spans.get(session)
        if span is None:
            span = self._spans[session] = _Span(at)
        elif at > span.last:
            span.last = at
        elif at < span.first:
            span.first = at
        if not copied and (span.born is None or at < span.born):
            span.born = at
        if cwd and (
            span.cwd_at is None
            or at < span.cwd_at
            or (at == span.cwd_at and span.cwd is not None and cwd < span.cwd)
        ):
            span.cwd_at, span.cwd = at, cwd

    def sessions(self) -> list[SessionSpan]:
        """The spans, in the order in which the sessions were seen."""
        return [
            SessionSpan(
                session_id=session,
                first_at=span.first,
                last_at=span.last,
                born=span.born,
                cwd=span.cwd,
                cwd_at=span.cwd_at,
            )
            for session, span in self._spans.items()
        ]
