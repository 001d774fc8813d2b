"""Where the members of a JSON object stand in its bytes, so that one can be changed alone."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec
from msgspec import MsgspecError

_TOKEN: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]', re.DOTALL)


class Member(NamedTuple):
    """One member of an object: its name, where its name begins, and where its value stands."""

    name: str
    begin: int
    value: int
    end: int


def members(data: bytes) -> Iterator[Member]:
    """The members of the object that `data` is. It must be valid JSON."""
    depth = 0
    text: tuple[int, int] | None = None
    named: tuple[int, int] | None = None
    for token in _TOKEN.finditer(data):
        match token.group()[:1]:
            case b'"':
                text = token.span()
            case b":" if depth == 1 and named is None:
                named = text
            case b"{" | b"[":
                depth += 1
            case b"}" | b"]" | b",":
                if depth == 1 and named is not None:
                    yield _member(data, named, token.start())
                    named = None
                depth -= token.group() != b","
            case _:
                pass


def _member(data: bytes, named: tuple[int, int], end: int) -> Member:
    begin, after = named
    value = data.index(b":", after) + 1
    value += len(data[value:end]) - len(data[value:end].lstrip())
    return Member(_name(data[begin:after]), begin, value, len(data[:end].rstrip()))


def _name(quoted: bytes) -> str:
    try:
        return msgspec.json.decode(quoted, type=str)
    except (MsgspecError, UnicodeDecodeError):
        return ""


def without(data: bytes, name: str) -> bytes:
    """The object without its member of this name, and without the comma that goes with it."""
    for member in members(data):
        if member.name == name:
            return _cut(data, member)
    return data


def _cut(data: bytes, member: Member) -> bytes:
    before, behind = data[: member.begin], data[member.end :]
    if before.rstrip().endswith(b","):
        return before.rstrip()[:-1] + behind
    rest = behind.lstrip()
    return before + (rest[1:].lstrip() if rest.startswith(b",") else behind)
