"""Where the turns of a conversation start, and the rounds within a turn."""

from collections.abc import Iterable, Sequence

from token_tracking.window.blocks import Block, PlainMessage
from token_tracking.window.forms import Form


class Turns:
    """The turns of a conversation, found as it grows.

    A turn starts where a user speaks after something else than the user and the system was heard.
    A message that carries results starts none, though the user may speak in it as well: the
    calls that it answers belong to the turn before, and a turn is dropped or kept whole.
    """

    def __init__(self, form: Form) -> None:
        self.starts: list[int] = []
        self._form = form
        self._opens: list[bool] = []  # by message: nothing but the opening of its turn so far

    def add(self, message: PlainMessage, blocks: Iterable[Block]) -> None:
        """Take the next message in."""
        carries = any(block.kind == "tool_result" for block in blocks)
        heard = message.get("role") not in ("user", "system", "developer") or carries
        speaks = not heard and self._form.starts_turn(message)
        opening = self._opens[-1] if self._opens else True
        if not self._opens or (speaks and not opening):
            self.starts.append(len(self._opens))
            opening = True
        self._opens.append(opening and not heard)

    def cut(self, messages: int) -> None:
        """Forget what stands behind the first `messages`."""
        del self._opens[messages:]
        while self.starts and self.starts[-1] >= messages:
            self.starts.pop()

    def span(self, turn: int) -> range:
        """The messages of a turn, by its number."""
        starts = self.starts
        turn = range(len(starts))[turn]
        end = starts[turn + 1] if turn + 1 < len(starts) else len(self._opens)
        return range(starts[turn], end)


def rounds(messages: Sequence[PlainMessage], span: range) -> list[range]:
    """A turn in parts that stand or fall together: its opening, then each answer of the model
    with the results that follow it. Answers in a row are one, as the API joins them."""
    roles = [messages[number].get("role") for number in span]
    starts = [
        span.start + at
        for at, role in enumerate(roles)
        if at == 0 or (role == "assistant" and roles[at - 1] != "assistant")
    ]
    ends = [*starts[1:], span.stop]
    return [range(start, end) for start, end in zip(starts, ends, strict=True)]
