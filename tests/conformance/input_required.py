"""Tools and a prompt of revision 2026-07-28 that need the client's input before they answer."""

from collections.abc import Callable
from typing import Any, Final

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.types import (
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequest,
    InputRequiredResult,
    ListRootsRequest,
    ListRootsResult,
    SamplingMessage,
    TextContent,
)

AnyContext = Context[Any, Any]


def elicitation(ctx: AnyContext) -> str | InputRequiredResult:
    """Ask for a name."""
    name = _answer(ctx, "user_name", "name")
    if name is None:
        return _needed({"user_name": _form("What is your name?", name="string")})
    return f"Hello, {name}!"


def sampling(ctx: AnyContext) -> str | InputRequiredResult:
    """Ask the client's model."""
    given = _responses(ctx).get("capital_question")
    if not isinstance(given, CreateMessageResult):
        return _needed({"capital_question": _message("What is the capital of France?", 100)})
    return _text(given)


def list_roots(ctx: AnyContext) -> str | InputRequiredResult:
    """Ask for the client's roots."""
    given = _responses(ctx).get("client_roots")
    if not isinstance(given, ListRootsResult):
        return _needed({"client_roots": ListRootsRequest()})
    return f"Roots: {', '.join(str(root.uri) for root in given.roots)}"


def request_state(ctx: AnyContext) -> str | InputRequiredResult:
    """Ask, and find the state of the first round again in the second."""
    if ctx.request_state != "asked":
        return _needed({"confirm": _form("Please confirm", ok="boolean")}, "asked")
    return "state-ok"


def tampered_state(ctx: AnyContext) -> str | InputRequiredResult:
    """As request_state. That a changed state is refused is the SDK's work."""
    return request_state(ctx)


def multiple_inputs(ctx: AnyContext) -> str | InputRequiredResult:
    """Ask for three things at once."""
    wanted: dict[str, InputRequest] = {
        "user_name": _form("What is your name?", name="string"),
        "greeting": _message("Generate a greeting", 50),
        "client_roots": ListRootsRequest(),
    }
    if not wanted.keys() <= _responses(ctx).keys():
        return _needed(wanted, "asked")
    return f"Hello, {_answer(ctx, 'user_name', 'name')}!"


def multi_round(ctx: AnyContext) -> str | InputRequiredResult:
    """Ask twice, one after the other."""
    match ctx.request_state:
        case None:
            return _needed({"step1": _form("Step 1: What is your name?", name="string")}, "1")
        case "1":
            color = _form("Step 2: What is your favorite color?", color="string")
            return _needed({"step2": color}, "2")
        case _:
            return "Asked twice."


def capabilities(ctx: AnyContext) -> str | InputRequiredResult:
    """Ask for no more than the client can give."""
    declared = ctx.client_capabilities
    wanted: dict[str, InputRequest] = {}
    if declared and declared.elicitation:
        wanted["user_name"] = _form("What is your name?", name="string")
    if declared and declared.sampling:
        wanted["greeting"] = _message("Generate a greeting", 50)
    if not wanted or wanted.keys() <= _responses(ctx).keys():
        return "Nothing is missing."
    return _needed(wanted)


def prompt(ctx: AnyContext) -> str | InputRequiredResult:
    """Ask for what the prompt is about."""
    about = _answer(ctx, "user_context", "context")
    if about is None:
        asked = _form("What context should the prompt use?", context="string")
        return _needed({"user_context": asked})
    return f"Answer in this context: {about}"


def _responses(ctx: AnyContext) -> dict[str, Any]:
    return dict(ctx.input_responses or {})


def _answer(ctx: AnyContext, key: str, field: str) -> object:
    given = _responses(ctx).get(key)
    if not isinstance(given, ElicitResult) or given.content is None:
        return None
    return given.content.get(field)


def _text(given: CreateMessageResult) -> str:
    return given.content.text if isinstance(given.content, TextContent) else given.content.type


def _needed(requests: dict[str, InputRequest], state: str | None = None) -> InputRequiredResult:
    return InputRequiredResult(input_requests=requests, request_state=state)


def _form(message: str, **fields: str) -> ElicitRequest:
    schema = {
        "type": "object",
        "properties": {name: {"type": kind} for name, kind in fields.items()},
        "required": list(fields),
    }
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def _message(text: str, max_tokens: int) -> CreateMessageRequest:
    asked = SamplingMessage(role="user", content=TextContent(text=text))
    return CreateMessageRequest(
        params=CreateMessageRequestParams(messages=[asked], max_tokens=max_tokens)
    )


_TOOLS: Final[list[Callable[..., Any]]] = [
    elicitation,
    sampling,
    list_roots,
    request_state,
    tampered_state,
    multiple_inputs,
    multi_round,
    capabilities,
]


def add_input_required(server: MCPServer[Any]) -> None:
    """Mount them."""
    for tool in _TOOLS:
        name = f"test_input_required_result_{tool.__name__}"
        server.add_tool(tool, name=name, structured_output=False)
    server.prompt(name="test_input_required_result_prompt")(prompt)
