"""The laws of a conversation: what an API refuses, and what editing may not lose."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from token_tracking.window.binding import binds_thinking
from token_tracking.window.forms import FORMS, Form, form_of
from token_tracking.window.laws.editing import EDITING_LAWS, Edited
from token_tracking.window.laws.reading import MESSAGES_ARE_MESSAGES, Law, Subject, read
from token_tracking.window.laws.request import BREAKPOINT_LAWS, MESSAGE_LAWS
from token_tracking.window.laws.tools import TOOL_LAWS

__all__ = ["LAWS", "BrokenLaw", "validate"]

REQUEST_LAWS: Final = (*MESSAGE_LAWS, *TOOL_LAWS, *BREAKPOINT_LAWS)
"""What the APIs refuse."""

LAWS: Final[dict[str, str]] = {
    MESSAGES_ARE_MESSAGES: "Every message and block has a known role, a type and fields of the "
    "right kind.",
    **{law.name: law.text for law in REQUEST_LAWS},
    **{law.name: law.text for law in EDITING_LAWS},
}
"""The laws by name, each in one sentence. Those that compare with an original come last."""

_PLACE: Final = {name: place for place, name in enumerate(LAWS)}


class BrokenLaw(Struct, frozen=True):
    """A law that a conversation breaks, the message (from 0; None for the whole) and how."""

    law: str
    message: int | None
    text: str


def validate(
    messages: Sequence[object],
    *,
    form: Form | str | None = None,
    original: Sequence[object] | None = None,
    model: str | None = None,
    breakpoints_elsewhere: int = 0,
    without: frozenset[str] = frozenset(),
) -> BrokenLaw | None:
    """The first law that a conversation breaks, in the order of its messages; None if it is valid.
    A message that cannot be read is named before all else.

    `form` is told from the messages where it is not given. With `original`, the messages before
    they were edited, the laws of editing hold as well; the `model` tells whether thinking has to go
    behind an edit. `breakpoints_elsewhere` is how many cache
    breakpoints the system prompt and the tools have, `without` names laws that are left aside.
    Nothing raises, whatever stands in the list.
    """
    form = FORMS[form] if isinstance(form, str) else form or _form(messages, original)
    reading, fault = read(messages, form, breakpoints_elsewhere)
    if fault is not None:
        return BrokenLaw(MESSAGES_ARE_MESSAGES, *fault)
    broken = _broken([law for law in REQUEST_LAWS if law.name not in without], reading)
    if original is not None:
        is_bound = model is not None and binds_thinking(model)
        edited = Edited(read(original, form)[0], reading, is_bound=is_bound)
        broken += _broken(EDITING_LAWS, edited)
    return min(broken, key=_position, default=None)


def _form(messages: Sequence[object], original: Sequence[object] | None) -> Form:
    for each in (original, messages):
        if isinstance(each, list | tuple) and each:
            return form_of(each)
    return FORMS["anthropic"]


def _broken(laws: Sequence[Law[Subject]], subject: Subject) -> list[BrokenLaw]:
    found = ((law.name, law.check(subject)) for law in laws)
    return [BrokenLaw(name, *fault) for name, fault in found if fault is not None]


def _position(broken: BrokenLaw) -> tuple[int, int]:
    return -1 if broken.message is None else broken.message, _PLACE[broken.law]
