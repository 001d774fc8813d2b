"""A second process that prepares files (`__main__`): a first index uses two cores.

It takes batches as frames of MessagePack on its standard input, and answers each with one. Should
it fail or be killed, what it had not answered is prepared by the first process.
"""

import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

import msgspec

import token_tracking
from token_tracking_server.content.preparing import Prepared
from token_tracking_server.content.roots import FoundFile, Roots

_PACKAGES: Final = (Path(__file__).parents[2], Path(token_tracking.__file__).parents[1])
_SIZE: Final = struct.Struct(">I")
_DECODE: Final = msgspec.msgpack.Decoder(list[Prepared]).decode


class SecondProcessError(Exception):
    """The other process is gone: the batch that it was given is still to do."""


class SecondProcess:
    """The other process. For one thread at a time."""

    def __init__(self, roots: Roots) -> None:
        path = [*map(str, _PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])]
        # -P: nothing is imported from the folder that we happen to stand in.
        command = [sys.executable, "-P", "-m", "token_tracking_server.content"]
        self._process = subprocess.Popen(  # noqa: S603 (this interpreter, and our own module)
            [*command, *map(str, roots.folders)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        )

    def prepare(self, files: Sequence[FoundFile]) -> list[Prepared]:
        """As `Preparer.prepare` does.

        Raises:
            SecondProcessError: it is gone.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            write_frame(stdin, files)
            answer = read_frame(stdout)
        except (OSError, ValueError) as error:
            raise SecondProcessError from error
        if answer is None:
            raise SecondProcessError
        return _DECODE(answer)

    def stop(self) -> None:
        """End it, and wait until it is gone."""
        with suppress(ProcessLookupError):
            self._process.kill()
        with self._process:
            pass


def write_frame(stream: IO[bytes], value: Any) -> None:
    """A value, with its size before it."""
    data = msgspec.msgpack.encode(value)
    stream.write(_SIZE.pack(len(data)) + data)
    stream.flush()


def read_frame(stream: IO[bytes]) -> bytes | None:
    """The next frame; `None` at the end."""
    head = stream.read(_SIZE.size)
    if len(head) < _SIZE.size:
        return None
    (size,) = _SIZE.unpack(head)
    data = stream.read(size)
    return data if len(data) == size else None
