"""What the suite expects to find on a server: tools that answer at once, resources, prompts.

Their names and answers are the suite's, told by `conformance list` and by its failures.
"""

import base64
import json
from collections.abc import Callable
from typing import Annotated, Any, Final

from mcp.server import MCPServer
from mcp.server.mcpserver import UserMessage
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import (
    AudioContent,
    EmbeddedResource,
    ImageContent,
    TextContent,
    TextResourceContents,
)
from pydantic import Field

_PIXEL: Final = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
)
"""A PNG of one pixel."""

_SILENCE: Final = base64.b64encode(
    b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00"
    b"\x02\x00\x10\x00data\x00\x00\x00\x00"
).decode()
"""A WAV without a sample."""

_SCHEMA_2020_12: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


def simple_text() -> str:
    """Answer with text."""
    return "This is a simple text response for testing."


def image_content() -> ImageContent:
    """Answer with an image."""
    return ImageContent(data=_PIXEL, mime_type="image/png")


def audio_content() -> AudioContent:
    """Answer with sound."""
    return AudioContent(data=_SILENCE, mime_type="audio/wav")


def embedded_resource() -> EmbeddedResource:
    """Answer with a resource."""
    text = "This is an embedded resource content."
    return _embedded("test://embedded-resource", "text/plain", text)


def multiple_content_types() -> list[TextContent | ImageContent | EmbeddedResource]:
    """Answer with a text, an image and a resource."""
    return [
        TextContent(text="Multiple content types test:"),
        image_content(),
        _embedded(
            "test://mixed-content-resource", "application/json", '{"test":"data","value":123}'
        ),
    ]


def error_handling() -> str:
    """Fail."""
    raise ToolError("This tool intentionally returns an error for testing")


def region_header(
    region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})],
) -> str:
    """Take an argument that clients of revision 2026-07-28 repeat as a header."""
    return region


def json_schema_2020_12_tool() -> str:
    """Have a schema with every keyword that the suite looks for."""
    return "No arguments are looked at."


def static_text() -> str:
    """A text."""
    return "This is the content of the static text resource."


def static_binary() -> bytes:
    """An image."""
    return base64.b64decode(_PIXEL)


def watched_resource() -> str:
    """A text that a client can subscribe to."""
    return "Watched resource content"


def templated(id: str) -> str:  # noqa: A002 -- the variable's name in the suite's template
    """A text made of a part of its URI."""
    return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


def simple_prompt() -> str:
    """A prompt without arguments."""
    return "This is a simple prompt for testing."


def prompt_with_arguments(arg1: str, arg2: str) -> str:
    """A prompt with arguments."""
    return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"


def prompt_with_embedded_resource(
    resourceUri: str,  # noqa: N803 -- the argument's name in the suite
) -> list[UserMessage]:
    """A prompt with a resource in it."""
    text = "Embedded resource content for testing."
    return [
        UserMessage(_embedded(resourceUri, "text/plain", text)),
        UserMessage("Please process the embedded resource above."),
    ]


def prompt_with_image() -> list[UserMessage]:
    """A prompt with an image in it."""
    return [UserMessage(image_content()), UserMessage("Please analyze the image above.")]


def _embedded(uri: str, mime_type: str, text: str) -> EmbeddedResource:
    return EmbeddedResource(resource=TextResourceContents(uri=uri, mime_type=mime_type, text=text))


_TOOLS: Final[list[Callable[..., Any]]] = [
    simple_text,
    image_content,
    audio_content,
    embedded_resource,
    multiple_content_types,
    error_handling,
    region_header,
]
_PROMPTS: Final[list[Callable[..., Any]]] = [
    simple_prompt,
    prompt_with_arguments,
    prompt_with_embedded_resource,
    prompt_with_image,
]


def add_contents(server: MCPServer[Any]) -> None:
    """Mount them."""
    for tool in _TOOLS:
        server.add_tool(tool, name=f"test_{tool.__name__}", structured_output=False)
    server.add_tool(json_schema_2020_12_tool)
    _give_schema(server, "json_schema_2020_12_tool", _SCHEMA_2020_12)
    for prompt in _PROMPTS:
        server.prompt(name=f"test_{prompt.__name__}")(prompt)
    server.resource("test://static-text", mime_type="text/plain")(static_text)
    server.resource("test://static-binary", mime_type="image/png")(static_binary)
    server.resource("test://watched-resource", mime_type="text/plain")(watched_resource)
    server.resource("test://template/{id}/data", mime_type="application/json")(templated)


def _give_schema(server: MCPServer[Any], name: str, schema: dict[str, Any]) -> None:
    # The SDK makes schemas from signatures, which cannot say these keywords.
    tool = server._tool_manager.get_tool(name)  # pyright: ignore[reportPrivateUsage]
    assert tool
    tool.parameters = schema
