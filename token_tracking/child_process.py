"""A second process of this package, which lines of JSON go to and come from."""

import asyncio
import contextlib
import os
import sys
from pathlib import Path
from typing import Final, Self

_PACKAGES: Final = Path(__file__).parents[1]
_LINE_LIMIT: Final = 1 << 26
_PATIENCE_SECONDS: Final = 5.0


class ChildProcess:
    """The other process. It ends when its input does."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        stdin: asyncio.StreamWriter,
        stdout: asyncio.StreamReader,
    ) -> None:
        self._process = process
        self._stdin = stdin
        self._stdout = stdout

    @classmethod
    async def start(cls, module: str, *arguments: str) -> Self:
        """Start `python -m module arguments...` with this interpreter, without its errors."""
        path = os.pathsep.join([str(_PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])])
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # nothing is imported from the folder that we happen to stand in
            "-m",
            module,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            limit=_LINE_LIMIT,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        return cls(process, process.stdin, process.stdout)

    async def write_line(self, line: bytes) -> None:
        """Send a line.

        Raises:
            OSError: it is gone.
        """
        self._stdin.write(line + b"\n")
        await self._stdin.drain()

    async def read_line(self) -> bytes:
        """Its next line, with its end; empty when there is no more.

        Raises:
            OSError, ValueError: it is gone, or a line is too long.
        """
        return await self._stdout.readline()

    async def stop(self, patience: float = _PATIENCE_SECONDS) -> None:
        """End its input, and wait until it is gone: it is killed after `patience` seconds."""
        self._stdin.close()
        try:
            # A signal for a process that ends just now takes its exit code from who waits for it.
            async with asyncio.timeout(patience):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
