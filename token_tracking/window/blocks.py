"""The blocks of a conversation, whatever its form: what is measured, cleared and cached."""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

Kind = Literal["text", "thinking", "tool_use", "tool_result", "image", "document", "other"]
"""`other` is a block of a type that is not known here: it is passed on and counted."""

PlainMessage = dict[str, Any]
"""A message as the provider's API takes it: a dict of JSON values."""


class Block(Struct):
    """One content block as its conversation holds it.

    `message` and `index` say where it stands: message number, and place within its content (0
    where the content is a string). `raw` is the block itself, or the string. `text` is what of it
    is counted as text (arguments of a call as JSON, a result's text parts joined); `flat_tokens`
    is what its images and documents cost beside. `tokens` is the whole estimate, once counted.
    `tool_id` pairs a call with its result; `tool` is the name of the tool, of results as well.
    """

    message: int
    index: int
    kind: Kind
    raw: Mapping[str, Any] | str
    text: str = ""
    flat_tokens: int = 0
    tokens: int = 0
    tool_id: str | None = None
    tool: str | None = None
    is_error: bool = False
