"""What an assistant pays for the server, before it asks anything."""

import json
from typing import get_args

from mcp import Client

from token_tracking.metrics import GROUPINGS
from token_tracking_server.tools import Grouping

MOST_BYTES = 2_700
TOOLS = [
    {
        "name": "session_report",
        "title": "Session report",
        "description": "What a session cost, what caching saved, its tokens, models and tools.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "session_id": {
                    "default": "current",
                    "description": "current, latest, or an id or its beginning",
                    "type": "string",
                }
            },
            "additionalProperties": False,
        },
        "annotations": {"readOnlyHint": True},
    },
    {
        "name": "efficiency_report",
        "title": "Efficiency report",
        "description": "Cost, cache savings and tokens of all sessions in a period, in rows.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "period": {
                    "default": "all",
                    "description": "today, 7d, 30d, all, or FROM..TO as dates (TO excluded)",
                    "type": "string",
                },
                "by": {
                    "default": "day",
                    "enum": ["day", "week", "month", "block", "model", "project", "session"],
                    "type": "string",
                },
            },
            "additionalProperties": False,
        },
        "annotations": {"readOnlyHint": True},
    },
    {
        "name": "track_usage",
        "title": "Track usage",
        "description": "Record an API response that Claude Code's transcripts lack."
        " Repeats count once.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "message_id": {"description": "The response's id (msg_...)", "type": "string"},
                "usage": {
                    "description": "The response's usage, as the API returned it",
                    "type": "object",
                },
                "model": {"type": "string"},
                "session_id": {"type": "string"},
                "timestamp": {"type": "string", "description": "ISO 8601; default: now"},
                "category": {"type": "string"},
            },
            "required": ["message_id", "usage", "model"],
            "additionalProperties": False,
        },
        "annotations": {"destructiveHint": False, "idempotentHint": True},
    },
    {
        "name": "search_content",
        "title": "Search content",
        "description": "Find guides, agents and skills in the library: URIs with title, size and"
        " matched words. Load what you need with load_content.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "query": {"description": "Words or a question", "type": "string"},
                "category": {"type": "string"},
                "limit": {"default": 5, "maximum": 30, "minimum": 1, "type": "integer"},
                "max_tokens": {"default": 1000, "minimum": 1, "type": "integer"},
            },
            "required": ["query"],
            "additionalProperties": False,
        },
        "annotations": {"readOnlyHint": True},
    },
    {
        "name": "load_content",
        "title": "Load content",
        "description": "Load documents or sections of the library. What does not fit is listed"
        " with its URI.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "uris": {
                    "description": "content://category/id, or with #section for less",
                    "items": {"type": "string"},
                    "type": "array",
                },
                "max_tokens": {"default": 10000, "minimum": 1, "type": "integer"},
                "again": {
                    "default": False,
                    "description": "Also what you loaded before",
                    "type": "boolean",
                },
            },
            "required": ["uris"],
            "additionalProperties": False,
        },
        "annotations": {"readOnlyHint": True},
    },
]


async def test_the_tools_are_these_to_the_last_word(client: Client) -> None:
    listed = (await client.list_tools()).tools
    assert [each.model_dump(by_alias=True, exclude_none=True) for each in listed] == TOOLS


async def test_the_list_of_tools_and_the_instructions_are_small(client: Client) -> None:
    listed = (await client.list_tools()).tools
    tools = [each.model_dump(by_alias=True, exclude_none=True) for each in listed]
    written = json.dumps(tools, separators=(",", ":")) + (client.instructions or "")
    assert len(written.encode()) <= MOST_BYTES


def test_the_groupings_are_those_of_the_metrics() -> None:
    assert get_args(Grouping) == GROUPINGS


async def test_the_resources_are_markdown_and_described(client: Client) -> None:
    resources = (await client.list_resources()).resources
    templates = (await client.list_resource_templates()).resource_templates
    assert [each.uri for each in resources] == [
        "efficiency://sessions",
        "efficiency://summary",
        "content://guides",
        "content://skills",
    ]
    assert [each.uri_template for each in templates] == [
        "efficiency://session/{session_id}",
        "content://{category}/{+id}",
    ]
    for each in [*resources, *templates]:
        assert each.mime_type == "text/markdown"
        assert each.description


async def test_the_prompt_may_be_asked_without_a_session(client: Client) -> None:
    (prompt,) = (await client.list_prompts()).prompts
    assert prompt.name == "session_report"
    (argument,) = prompt.arguments or []
    assert (argument.name, argument.required) == ("session_id", False)
