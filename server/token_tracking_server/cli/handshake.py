"""Does the server start and answer? Asked as a client asks: a process, and the official client."""

import asyncio
import shlex
import tempfile
import time
from typing import Final, TextIO, cast

from msgspec import Struct

from token_tracking.errors import TokenTrackingError
from token_tracking_server.cli.registration import Registration

_TOOL: Final = "efficiency_report"
_SECONDS: Final = 60
_SHOWN_CHARACTERS: Final = 2_000


class HandshakeError(TokenTrackingError):
    """The server did not start, or did not answer as it should."""


class Answer(Struct, frozen=True, kw_only=True):
    """What the server said of itself. `milliseconds` run from the start of the process to the end
    of the handshake; `called` is the tool that was called, `characters` the size of its answer."""

    name: str
    version: str
    protocol: str
    milliseconds: int
    tools: list[str]
    called: str
    characters: int

    def __str__(self) -> str:
        return (
            f"{self.name} {self.version} answered in {self.milliseconds} ms (MCP {self.protocol})"
            f" with {len(self.tools)} tools ({', '.join(self.tools)});"
            f" {self.called} gave {self.characters:,} characters."
        )


async def handshake(server: Registration, seconds: float = _SECONDS) -> Answer:
    """Start the server as a client would, list its tools, call one, and end it.

    Raises:
        HandshakeError: it did not start, did not answer in time, or its tool failed.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        try:
            async with asyncio.timeout(seconds):
                return await _ask(server, log)
        except TimeoutError as error:
            raise HandshakeError(_advice(server, f"no answer in {seconds:g} s", log)) from error
        # The outermost edge: whatever the client makes of a broken server is reported as such.
        except Exception as error:
            raise HandshakeError(_advice(server, _reason(error), log)) from error


async def _ask(server: Registration, log: TextIO) -> Answer:
    from mcp import Client, StdioServerParameters, stdio_client

    parameters = StdioServerParameters(
        command=server.command, args=list(server.arguments), env=server.environment
    )
    started = time.perf_counter()
    async with Client(stdio_client(parameters, errlog=log)) as client:
        milliseconds = round((time.perf_counter() - started) * 1_000)
        server_info = client.server_info
        if server_info is None:
            raise HandshakeError("it did not say its name and version")
        tools = [tool.name for tool in (await client.list_tools()).tools]
        if _TOOL not in tools:
            raise HandshakeError(f"it offers no tool {_TOOL}, only: {', '.join(tools) or 'none'}")
        result = await client.call_tool(_TOOL, {})
        text = "".join(getattr(part, "text", "") for part in result.content)
        if result.is_error or not text:
            raise HandshakeError(f"{_TOOL} failed: {text or 'an empty answer'}")
        return Answer(
            name=server_info.name,
            version=server_info.version,
            protocol=client.protocol_version,
            milliseconds=milliseconds,
            tools=tools,
            called=_TOOL,
            characters=len(text),
        )


def _reason(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return _reason(cast("BaseExceptionGroup[BaseException]", error).exceptions[0])
    if isinstance(error, HandshakeError):
        return str(error)
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _advice(server: Registration, reason: str, log: TextIO) -> str:
    log.seek(0)
    said = log.read()[-_SHOWN_CHARACTERS:].strip()
    line = shlex.join([server.command, *server.arguments])
    return "\n".join(
        [
            f"the server check failed: {reason}.",
            *(["It wrote:", said] if said else []),
            "What to do: `token-tracking doctor` looks at the ledger and the folders.",
            "This starts the server by hand (Ctrl-C ends it):",
            f"  {line}",
        ]
    )
