"""Tools that speak with the client while a call is under way."""

import asyncio
import json
from collections.abc import Callable
from typing import Annotated, Any, Final

from mcp import MCPError
from mcp.server import MCPServer
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import Context, Elicit, ElicitationResult, Resolve
from mcp.types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    ClientCapabilities,
    EmptyResult,
    MissingRequiredClientCapabilityErrorData,
    SamplingCapability,
    SamplingMessage,
    SetLevelRequestParams,
    TextContent,
)
from pydantic import BaseModel

AnyContext = Context[Any, Any]

_PAUSE_SECONDS: Final = 0.05
"""The suite asks for it between two messages."""

_USER: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "username": {"type": "string", "description": "User's response"},
        "email": {"type": "string", "description": "User's email address"},
    },
    "required": ["username", "email"],
}
_STATES: Final = ["active", "inactive", "pending"]
_DEFAULTS: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": _STATES, "default": "active"},
        "verified": {"type": "boolean", "default": True},
    },
}
_TITLED: Final = [
    {"const": "value1", "title": "First Option"},
    {"const": "value2", "title": "Second Option"},
    {"const": "value3", "title": "Third Option"},
]
_OPTIONS: Final = ["option1", "option2", "option3"]
_ENUMS: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "untitledSingle": {"type": "string", "enum": _OPTIONS},
        "titledSingle": {"type": "string", "oneOf": _TITLED},
        "legacyEnum": {
            "type": "string",
            "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        },
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": _OPTIONS}},
        "titledMulti": {"type": "array", "items": {"anyOf": _TITLED}},
    },
}


class Word(BaseModel):
    """An answer of one word."""

    word: str


async def tool_with_logging(ctx: AnyContext) -> str:
    """Log three times."""
    await _log(ctx, "Tool execution started")
    await asyncio.sleep(_PAUSE_SECONDS)
    await _log(ctx, "Tool processing data")
    await asyncio.sleep(_PAUSE_SECONDS)
    await _log(ctx, "Tool execution completed")
    return "Logged three times."


async def logging_tool(ctx: AnyContext) -> str:
    """Log once."""
    await _log(ctx, "Only for those who asked for it")
    return "Logged once."


async def tool_with_progress(ctx: AnyContext) -> str:
    """Report progress three times."""
    for progress in (0, 50, 100):
        await ctx.report_progress(progress, 100)
        await asyncio.sleep(_PAUSE_SECONDS)
    return "Reported progress three times."


async def sampling(prompt: str, ctx: AnyContext) -> str:
    """Ask the client's model."""
    result = await ctx.session.create_message(  # pyright: ignore[reportDeprecated]
        [SamplingMessage(role="user", content=TextContent(text=prompt))],
        max_tokens=100,
        related_request_id=ctx.request_id,
    )
    assert isinstance(result.content, TextContent)
    return f"LLM response: {result.content.text}"


async def elicitation(message: str, ctx: AnyContext) -> str:
    """Ask the client's user."""
    return f"User response: {await _ask(ctx, message, _USER)}"


async def elicitation_sep1034_defaults(ctx: AnyContext) -> str:
    """Ask for values that have defaults."""
    return f"Elicitation completed: {await _ask(ctx, 'Please check these values', _DEFAULTS)}"


async def elicitation_sep1330_enums(ctx: AnyContext) -> str:
    """Ask for a choice in each way that there is."""
    return f"Elicitation completed: {await _ask(ctx, 'Please choose', _ENUMS)}"


async def reconnection(ctx: AnyContext) -> str:
    """Close the stream of the answer before there is one."""
    await ctx.close_sse_stream()
    await asyncio.sleep(_PAUSE_SECONDS)
    return "Reconnected."


async def missing_capability(ctx: AnyContext) -> str:
    """Refuse a client that did not declare sampling."""
    if ctx.client_capabilities and ctx.client_capabilities.sampling:
        return "The client declared sampling."
    required = ClientCapabilities(sampling=SamplingCapability())
    data = MissingRequiredClientCapabilityErrorData(required_capabilities=required)
    raise MCPError(
        MISSING_REQUIRED_CLIENT_CAPABILITY,
        "This tool needs sampling.",
        data.model_dump(mode="json", by_alias=True, exclude_none=True),
    )


def _word() -> Elicit[Word]:
    return Elicit("Which word?", Word)


async def streaming_elicitation(
    answer: Annotated[ElicitationResult[Word], Resolve(_word)],
) -> str:
    """Ask for a word, in the way of the client's revision of the protocol."""
    return f"Asked: {answer.action}"


async def trigger_tool_change(ctx: AnyContext) -> str:
    """Say that the list of tools changed."""
    await ctx.notify_tools_changed()
    return "Told."


async def trigger_prompt_change(ctx: AnyContext) -> str:
    """Say that the list of prompts changed."""
    await ctx.notify_prompts_changed()
    return "Told."


async def _log(ctx: AnyContext, text: str) -> None:
    await ctx.info(text)  # pyright: ignore[reportDeprecated]


async def _ask(ctx: AnyContext, message: str, schema: dict[str, Any]) -> str:
    result = await ctx.session.elicit_form(message, schema, related_request_id=ctx.request_id)
    return f"action={result.action}, content={json.dumps(result.content)}"


async def _accept_level(
    _: ServerRequestContext[Any, Any], __: SetLevelRequestParams
) -> EmptyResult:
    return EmptyResult()


_TOOLS: Final[list[Callable[..., Any]]] = [
    tool_with_logging,
    logging_tool,
    tool_with_progress,
    sampling,
    elicitation,
    elicitation_sep1034_defaults,
    elicitation_sep1330_enums,
    reconnection,
    missing_capability,
    streaming_elicitation,
    trigger_tool_change,
    trigger_prompt_change,
]


def add_dialogues(server: MCPServer[Any]) -> None:
    """Mount them, and the setting of a log level, which only a server that logs has."""
    for tool in _TOOLS:
        server.add_tool(tool, name=f"test_{tool.__name__}", structured_output=False)
    lowlevel = server._lowlevel_server  # pyright: ignore[reportPrivateUsage]
    lowlevel.add_request_handler("logging/setLevel", SetLevelRequestParams, _accept_level)
