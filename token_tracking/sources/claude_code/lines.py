"""One line of a transcript, decoded: what the ledger keeps, and nothing else.

Typed decoding skips all other fields without building them. A line that is JSON but has a field
of another type than Claude Code writes is decoded again field by field, so that one odd field
does not lose the usage beside it.
"""

import re
from typing import Any, Final, TypeVar, cast, get_args, get_origin

import msgspec
from msgspec import DecodeError, Raw, Struct, ValidationError
from msgspec.structs import FieldInfo, fields

_NOTHING: Final = Raw(b"null")

_LONGEST_LENIENT: Final = 1 << 24
"""16 MiB: to look at a longer line again would take several times its size in memory."""

_LONE_SURROGATE: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
"""Half of an emoji, as JavaScript writes it where a text was cut in two: no valid JSON text."""

_StructType = TypeVar("_StructType", bound=Struct)


class Source(Struct, gc=False):
    """The base64 data of an image or document."""

    data: str | None = None


class Inner(Struct, gc=False):
    """A block inside a tool result."""

    type: str | None = None
    text: str | None = None
    source: Source | None = None


class Block(Struct, gc=False):
    """A content block of a message: text, thinking, tool use, tool result, image."""

    type: str | None = None
    id: str | None = None
    name: str | None = None
    server_name: str | None = None
    input: Raw = _NOTHING
    text: str | None = None
    thinking: str | None = None
    data: str | None = None
    tool_use_id: str | None = None
    is_error: bool | None = None
    content: str | list[Inner] | None = None
    source: Source | None = None


class Message(Struct, gc=False):
    """The message of a line, as the API has it."""

    id: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    usage: Raw = _NOTHING
    content: str | list[Block] | None = None


class Nested(Struct, gc=False):
    """The line of a subagent, inside a progress line."""

    type: str | None = None
    uuid: str | None = None
    timestamp: str | None = None
    requestId: str | None = None  # noqa: N815 (Claude Code's name)
    message: Message | None = None


class Progress(Struct, gc=False):
    """The data of a progress line."""

    type: str | None = None
    agentId: str | None = None  # noqa: N815
    message: Nested | None = None


class Attachment(Struct, gc=False):
    """What Claude Code put into the context by itself."""

    type: str | None = None
    filename: str | None = None
    path: str | None = None
    planFilePath: str | None = None  # noqa: N815
    skillName: str | None = None  # noqa: N815
    addedNames: list[str] | None = None  # noqa: N815


class ToolUseResult(Struct, gc=False):
    """What Claude Code itself says of a tool's result."""

    agentId: str | None = None  # noqa: N815


class Line(Struct, gc=False):
    """A line of a transcript."""

    type: str | None = None
    subtype: str | None = None
    uuid: str | None = None
    parentUuid: str | None = None  # noqa: N815
    logicalParentUuid: str | None = None  # noqa: N815
    sessionId: str | None = None  # noqa: N815
    timestamp: str | None = None
    cwd: str | None = None
    gitBranch: str | None = None  # noqa: N815
    version: str | None = None
    entrypoint: str | None = None
    agentId: str | None = None  # noqa: N815
    isSidechain: bool = False  # noqa: N815
    isMeta: bool | None = False  # noqa: N815
    isCompactSummary: bool | None = False  # noqa: N815
    requestId: str | None = None  # noqa: N815
    attributionAgent: str | None = None  # noqa: N815
    attributionSkill: str | None = None  # noqa: N815
    attributionPlugin: str | None = None  # noqa: N815
    attributionMcpServer: str | None = None  # noqa: N815
    attributionMcpTool: str | None = None  # noqa: N815
    sourceToolUseID: str | None = None  # noqa: N815
    message: Message | None = None
    toolUseResult: ToolUseResult | str | list[Raw] | None = None  # noqa: N815
    data: Progress | None = None
    attachment: Raw = _NOTHING
    compactMetadata: Raw = _NOTHING  # noqa: N815
    microcompactMetadata: Raw = _NOTHING  # noqa: N815
    modelUsage: Raw = _NOTHING  # noqa: N815


_decode = msgspec.json.Decoder(Line).decode


def decode_line(line: bytes | memoryview) -> Line | None:
    """The line, or `None` where it is no JSON object."""
    try:
        return _decode(line)
    except ValidationError:
        return _lenient_line(line)
    except (DecodeError, RecursionError, UnicodeDecodeError):
        return _lenient_line(line)


def without_nul(text: str) -> str:
    """Databases refuse NUL in a text."""
    return text.replace("\x00", "\ufffd") if "\x00" in text else text


def _lenient_line(line: bytes | memoryview) -> Line | None:
    if len(line) > _LONGEST_LENIENT:
        return None
    line = bytes(line)
    text = line.decode("utf-8", "replace").encode()
    raw = decode_any(_LONE_SURROGATE.sub(rb"\\ufffd", text))
    if not isinstance(raw, dict):
        return None
    return lenient(Line, cast("dict[str, Any]", raw))


def decode_any(raw: bytes | Raw) -> object:
    """Any JSON value; `None` for what is no JSON."""
    try:
        return msgspec.json.decode(raw)
    except (DecodeError, RecursionError, UnicodeDecodeError):
        return None


def lenient(struct: type[_StructType], raw: dict[str, Any]) -> _StructType:
    """`raw` as `struct`: a field of a wrong type counts as absent."""
    return struct(
        **{
            field.name: _lenient_field(field, raw[field.encode_name])
            for field in fields(struct)
            if field.encode_name in raw
        }
    )


def _lenient_field(field: FieldInfo, value: object) -> object:
    if field.type is Raw:
        return Raw(msgspec.json.encode(value))
    try:
        return msgspec.convert(value, field.type)
    except ValidationError:
        pass
    if isinstance(value, dict) and (nested := _struct_in(field.type)) is not None:
        return lenient(nested, cast("dict[str, Any]", value))
    if isinstance(value, list) and (nested := _struct_in_list(field.type)) is not None:
        blocks = cast("list[Any]", value)
        return [
            lenient(nested, cast("dict[str, Any]", block))
            for block in blocks
            if isinstance(block, dict)
        ]
    return field.default


def _struct_in(annotation: Any) -> type[Struct] | None:
    """The struct of `Struct` or `Struct | None`."""
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, type) and issubclass(part, Struct):
            return part
    return None


def _struct_in_list(annotation: Any) -> type[Struct] | None:
    """The struct of `... | list[Struct] | ...`."""
    for part in get_args(annotation):
        if get_origin(part) is list:
            return _struct_in(part)
    return None
