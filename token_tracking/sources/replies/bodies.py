"""The three shapes of a body: one JSON value, server-sent events, lines of JSON.

What a body may be is decided before it comes; where its type says nothing, its first byte does.
"""

from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace

from token_tracking.sources.replies.encodings import Decoder
from token_tracking.sources.replies.events import LONGEST, Events, Lines
from token_tracking.sources.replies.json_values import decoded
from token_tracking.sources.replies.problems import TOO_LONG, UNREADABLE
from token_tracking.sources.replies.sighting import is_response_id
from token_tracking.sources.replies.values import Form, Reply


class Body(Protocol):
    """A body without its content coding."""

    @property
    def is_over(self) -> bool:
        """As `ReplyReader.is_over`."""
        ...

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        ...

    def finish(self, *, is_complete: bool) -> list[Reply]:
        """What it told."""
        ...


class FormEvents(Protocol):
    """What reads the events of one form. `is_over`: it took the last one."""

    is_over: bool

    def take(self, data: bytes) -> None:
        """Take the data of one event."""
        ...

    def replies(self, *, is_complete: bool) -> list[Reply]:
        """What they told."""
        ...


class JsonBody:
    """One JSON value. It is held until it is whole; one longer than `LONGEST` is not."""

    is_over = False

    def __init__(self, form: Form, read: Callable[[object], list[Reply]]) -> None:
        self._form: Form = form
        self._read = read
        self._body = bytearray()
        self._is_overlong = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if len(self._body) + len(data) > LONGEST:
            self._is_overlong = True
            self._body.clear()
        elif not self._is_overlong:
            self._body += data

    def finish(self, *, is_complete: bool) -> list[Reply]:
        """What it told: nothing where it broke off, since half a value is none."""
        if self._is_overlong:
            return [Reply(form=self._form, problem=TOO_LONG)]
        if not self._body:
            return []
        value = decoded(bytes(self._body))
        if value is None:
            return [Reply(form=self._form, problem=UNREADABLE)]
        return self._read(value)


class EventBody:
    """Server-sent events."""

    def __init__(self, form: Form, events: FormEvents) -> None:
        self._form: Form = form
        self._form_events = events
        self._events = Events(events.take)

    @property
    def is_over(self) -> bool:
        """Whether the last event was read."""
        return self._form_events.is_over

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._events.feed(data)

    def finish(self, *, is_complete: bool) -> list[Reply]:
        """What they told, also where they broke off."""
        self._events.finish()
        replies = self._form_events.replies(is_complete=is_complete)
        if not self._events.has_overlong:
            return replies
        return [replace(each, problem=each.problem or TOO_LONG) for each in replies] or [
            Reply(form=self._form, problem=TOO_LONG)
        ]


class LineBody:
    """Lines of JSON, each of which may hold a message."""

    is_over = False

    def __init__(self, form: Form, read: Callable[[object], list[Reply]]) -> None:
        self._form: Form = form
        self._read = read
        self._lines = Lines(self._take)
        self._replies: list[Reply] = []

    def _take(self, line: bytes) -> None:
        if line.startswith(b"{"):
            self._replies += self._read(decoded(line))

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._lines.feed(data)

    def finish(self, *, is_complete: bool) -> list[Reply]:
        """What they told. A last line that was cut short is no JSON, and tells nothing."""
        self._lines.finish()
        if self._lines.has_overlong:
            self._replies.append(Reply(form=self._form, problem=TOO_LONG))
        return self._replies


class SniffedBody:
    """A body whose type says nothing: JSON where it begins like an object, events else."""

    def __init__(self, json_body: Callable[[], Body], event_body: Callable[[], Body]) -> None:
        self._json_body = json_body
        self._event_body = event_body
        self._body: Body | None = None

    @property
    def is_over(self) -> bool:
        """Whether the last event was read."""
        return self._body is not None and self._body.is_over

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if self._body is None:
            begun = data.lstrip()
            if not begun:
                return
            self._body = self._json_body() if begun.startswith(b"{") else self._event_body()
        self._body.feed(data)

    def finish(self, *, is_complete: bool) -> list[Reply]:
        """What it told."""
        return [] if self._body is None else self._body.finish(is_complete=is_complete)


class RetrievedBody:
    """A response that was made before: it is told where its id says which message it is, as it
    would be counted at each retrieval else."""

    def __init__(self, body: Body) -> None:
        self._body = body

    @property
    def is_over(self) -> bool:
        """Whether the last event was read."""
        return self._body.is_over

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._body.feed(data)

    def finish(self, *, is_complete: bool) -> list[Reply]:
        """What it told."""
        replies = self._body.finish(is_complete=is_complete)
        return [each for each in replies if each.problem or is_response_id(each.message_id)]


class EncodedBody:
    """A body as it came, in its content coding."""

    def __init__(self, decoder: Decoder, body: Body) -> None:
        self._decoder = decoder
        self._body = body

    @property
    def is_over(self) -> bool:
        """Whether the last event was read."""
        return self._body.is_over

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body as they came, still encoded."""
        for piece in self._decoder.decode(data):
            self._body.feed(piece)

    def finish(self, *, is_complete: bool) -> list[Reply]:
        """What the body told, at its end or where it broke off (`is_complete=False`)."""
        return self._body.finish(is_complete=is_complete)


class UnreadableBody:
    """A body in a content coding that cannot be decoded here."""

    is_over = False

    def __init__(self, form: Form) -> None:
        self._form: Form = form

    def feed(self, data: bytes) -> None:
        """Nothing of it is understood."""

    def finish(self, *, is_complete: bool) -> list[Reply]:
        """That it told nothing."""
        return [Reply(form=self._form, problem=UNREADABLE)]
