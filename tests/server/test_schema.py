"""What an assistant pays for the server, before it asks anything."""

import json
from typing import get_args

from mcp import Client

from token_tracking.efficiency.snapshot import GroupBy
from token_tracking.metrics import GROUPINGS
from token_tracking.shares import METRICS

MOST_BYTES = 3_150
SHOWN = {"ui": {"resourceUri": "ui://token-tracking/report"}}
TOOLS = [
    {
        "name": "session_report",
        "title": "Session report",
        "description": "What a session cost, what caching saved, its tokens, models, tools and"
        " dearest items.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "session_id": {
                    "default": "current",
                    "description": "current, latest, or an id or its beginning",
                    "type": "string",
                },
                "view": {
                    "default": "summary",
                    "enum": ["summary", "items"],
                    "type": "string",
                },
            },
            "additionalProperties": False,
        },
        "_meta": SHOWN,
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
                    "description": "day, week, month, block, model, project, session, tool,"
                    " mcp-server, skill, agent, category, path, item; for top: tokens, efficiency,"
                    " carried",
                    "type": "string",
                },
                "view": {
                    "default": "totals",
                    "enum": ["totals", "snapshot", "trend", "top", "advice"],
                    "type": "string",
                },
            },
            "additionalProperties": False,
        },
        "_meta": SHOWN,
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


async def test_every_grouping_and_metric_is_named(client: Client) -> None:
    tools = {each.name: each for each in (await client.list_tools()).tools}
    words = tools["efficiency_report"].input_schema["properties"]["by"]["description"]
    named = {word.strip(",;") for word in words.split()}
    # One kind is the other groupings' rest, and the cost is what `top` is by.
    assert {*GROUPINGS, *get_args(GroupBy), *METRICS} - {"kind", "cost"} <= named


async def test_the_resources_are_markdown_and_described(client: Client) -> None:
    resources = (await client.list_resources()).resources
    templates = (await client.list_resource_templates()).resource_templates
    assert [each.uri for each in resources] == [
        "efficiency://advice",
        "efficiency://sessions",
        "efficiency://snapshot/last_week",
        "efficiency://summary",
        "efficiency://top/cost",
        "efficiency://trends/last_month",
        "limits://quotas",
        "content://guides",
        "content://skills",
    ]
    assert [each.uri_template for each in templates] == [
        "efficiency://session/{session_id}",
        "efficiency://snapshot/{period}",
        "efficiency://trends/{period}",
        "efficiency://top/{metric}",
        "content://{category}/{+id}",
    ]
    for each in [*resources, *templates]:
        assert each.mime_type == "text/markdown"
        assert each.description


async def test_the_prompts_may_be_asked_without_arguments(client: Client) -> None:
    prompts = (await client.list_prompts()).prompts
    named = [(each.name, [(a.name, a.required) for a in each.arguments or []]) for each in prompts]
    assert named == [
        ("session_report", [("session_id", False)]),
        ("find_savings", [("period", False)]),
    ]
