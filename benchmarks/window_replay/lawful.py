"""Which laws the requests of one conversation break, without reading all of it each time."""

from collections.abc import Sequence

from benchmarks.window_replay.contents import Contents, Key, blocks_of, is_marked
from token_tracking.window.blocks import PlainMessage
from token_tracking.window.forms import FORMS
from token_tracking.window.laws import validate
from token_tracking.window.laws.reading import read
from token_tracking.window.laws.request import BREAKPOINT_LAWS


class Lawful:
    """Checks each request of a conversation.

    One that is the last request, which was valid, and behind it what the history got since, is
    valid by induction: no law looks back from what is new but at what it answers. All others are
    read whole, and so are the first and the last. Breakpoints move, and are looked at each time;
    where the history has some of its own, every request is read whole.
    """

    def __init__(self, contents: Contents, model: str | None = None) -> None:
        self._contents = contents
        self._model = model
        self._last: list[Key] = []
        self._shape: list[_Shape] = []
        self._history = 0
        self._has_marks = False
        self._is_valid = False
        self.read_whole = 0
        """How many requests were read whole."""

    def broken(
        self,
        sent: Sequence[PlainMessage],
        keys: list[Key],
        history: Sequence[PlainMessage],
        kept: int,
        *,
        is_last: bool,
    ) -> str | None:
        """The law that a request breaks, if any. The first `kept` messages of the history are
        those of the request before; `is_last` where no request follows."""
        shape = list(map(_shape, sent))
        self._has_marks |= any(map(_has_mark, history[min(kept, self._history) :]))
        if not is_last and self._follows(keys, shape, history, kept):
            law = _broken_breakpoint(sent)
        else:
            self.read_whole += 1
            found = validate(sent, original=history, model=self._model)
            law = found.law if found is not None else None
        self._is_valid = law is None
        self._last, self._shape, self._history = keys, shape, len(history)
        return law

    def _follows(
        self, keys: list[Key], shape: "list[_Shape]", history: Sequence[PlainMessage], kept: int
    ) -> bool:
        if not self._is_valid or self._has_marks or kept != self._history:
            return False
        new = history[kept:]
        return (
            shape == [*self._shape, *map(_shape, new)]
            and keys[: len(self._last)] == self._last
            and keys[len(self._last) :] == self._contents.keys(new)
        )


_Shape = tuple[str, int]


def _shape(message: PlainMessage) -> _Shape:
    return message["role"], len(blocks_of(message))


def _has_mark(message: PlainMessage) -> bool:
    return any(map(is_marked, blocks_of(message)))


def _broken_breakpoint(messages: Sequence[PlainMessage]) -> str | None:
    marked = list(filter(_has_mark, messages))
    reading = read(marked, FORMS["anthropic"])[0]
    return next((law.name for law in BREAKPOINT_LAWS if law.check(reading) is not None), None)
