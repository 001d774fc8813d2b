"""The files of a spool. Each process appends to segments of its own, named after it.

    ledger.db.spool/
        4711-9f86d081.lock            held for as long as its process may write
        4711-9f86d081.000001.v1.jsonl a segment: one sighting a line
        4711-9f86d081.000001.v1.bad   lines of it that the ledger would not have

The version in the name is that of the lines: another version leaves such a file where it is.
"""

import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from secrets import token_hex
from typing import Final

import msgspec
from msgspec import Struct

from token_tracking.location import Location
from token_tracking.usage import UsageEvent

_VERSION: Final = 1
_SEGMENT: Final = re.compile(r"(?P<owner>\d+-[0-9a-f]+)\.\d+\.v(?P<version>\d+)\.jsonl")
_BAD: Final = ".bad"

_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(UsageEvent)


class Lines(Struct):
    """What stands in a segment. `torn` is 1 where its last line was cut short."""

    events: list[UsageEvent]
    garbage: list[bytes]
    torn: int = 0


def spool_folder(location: Location) -> Path:
    """The folder beside a ledger where sightings wait."""
    path = location.path.absolute()
    return path.with_name(path.name + ".spool")


def new_owner() -> str:
    """A name for the segments of this process, which none had before."""
    return f"{os.getpid()}-{token_hex(8)}"


def segment_path(folder: Path, owner: str, number: int) -> Path:
    """The owner's segment of this number, from 1: names sort by number."""
    return folder / f"{owner}.{number:09}.v{_VERSION}.jsonl"


def lock_path(folder: Path, owner: str) -> Path:
    """The lock that the owner holds while it lives."""
    return folder / f"{owner}.lock"


def segments_by_owner(folder: Path) -> Mapping[str, list[Path]]:
    """The segments that this version reads, in order.

    Raises:
        OSError: the folder cannot be read. One that is not there has none.
    """
    found: defaultdict[str, list[Path]] = defaultdict(list)
    for path, owner, version in _segments(folder):
        if version == _VERSION:
            found[owner].append(path)
    return {owner: sorted(paths) for owner, paths in sorted(found.items())}


def newer_segments(folder: Path) -> list[Path]:
    """The segments that only a newer version reads.

    Raises:
        OSError: the folder cannot be read. One that is not there has none.
    """
    return [path for path, _, version in _segments(folder) if version > _VERSION]


def bad_files(folder: Path) -> list[Path]:
    """Lines that the ledger would not have.

    Raises:
        OSError: the folder cannot be read. One that is not there has none.
    """
    return [path for path in _files(folder) if path.suffix == _BAD]


def encode(event: UsageEvent) -> bytes:
    """A sighting as a line, with its end.

    Raises:
        ValueError, TypeError: it cannot be written as JSON (a text holds half a character).
    """
    return _encoder.encode(event) + b"\n"


def read_lines(path: Path) -> Lines:
    """What a segment holds. A last line without an end counts if it is whole.

    Raises:
        OSError: it cannot be read.
    """
    *lines, last = path.read_bytes().split(b"\n")
    read = Lines([], [])
    for line in lines:
        if (event := _decoded(line)) is not None:
            read.events.append(event)
        elif line.strip():
            read.garbage.append(line)
    if last:
        event = _decoded(last)
        read.events += [] if event is None else [event]
        read.torn = int(event is None)
    return read


def move_aside(segment: Path, lines: list[bytes]) -> None:
    """Keep lines that the ledger would not have. Doing so again changes nothing.

    Raises:
        OSError: they cannot be written.
    """
    bad = segment.with_suffix(_BAD)
    unfinished = bad.with_suffix(".part")
    file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(b"".join(line + b"\n" for line in lines))
    unfinished.replace(bad)


def _decoded(line: bytes) -> UsageEvent | None:
    try:
        return _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _segments(folder: Path) -> Iterator[tuple[Path, str, int]]:
    for path in _files(folder):
        if named := _SEGMENT.fullmatch(path.name):
            yield path, named["owner"], int(named["version"])


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except FileNotFoundError:
        return []
