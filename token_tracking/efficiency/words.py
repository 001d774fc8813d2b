"""What the things that stand in prompts are called, in the words of people."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from token_tracking.shares import ShareLabel

KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "answer": "Answers",
        "attachment": "Attachments",
        "base": "Base of the prompt (system prompt, tools, memory)",
        "meta": "Added by the client",
        "summary": "Summaries of compacted conversations",
        "tool": "Tool results",
        "unlisted": "Not listed in the transcript",
        "user": "Your messages",
    }
)
"""What a kind of item is called."""

_ATTACHMENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "agent_listing_delta": "List of agents",
        "command_permissions": "Permissions of a command",
        "date_change": "Change of date",
        "deferred_tools_delta": "List of deferred tools",
        "edited_text_file": "File edited outside",
        "file": "File attached with @",
        "hook_additional_context": "Context of a hook",
        "hook_non_blocking_error": "Error of a hook",
        "hook_success": "Output of a hook",
        "hook_system_message": "Message of a hook",
        "invoked_skills": "Skills in use",
        "mcp_instructions_delta": "Instructions of MCP servers",
        "nested_memory": "Memory file of a folder",
        "plan_mode": "Plan mode",
        "queued_command": "Message sent while it worked",
        "skill_listing": "List of skills",
        "task_reminder": "Reminder of tasks",
        "todo_reminder": "Reminder of to-dos",
    }
)
"""Attachments of Claude Code by their type; others are called by it."""

MAIN: Final = "Main conversation"
_UNNAMED_AGENT: Final = "subagent"
_ONE: Final = {"answer": "Answer", "user": "Your message", "summary": "Summary"}

REST: Final[Mapping[str, str]] = MappingProxyType(
    {
        "mcp-server": "From no MCP server",
        "path": "Of no path or address",
        "skill": "Of no skill",
    }
)
"""What is called all that a grouping does not tell apart."""


def kind_words(kind: str) -> str:
    """What a kind of item is called."""
    return KINDS.get(kind) or _plain(kind)


def tool_words(label: ShareLabel) -> str:
    """A tool, with the MCP server that it is of; what is no tool's, by its kind and name."""
    if label.kind == "tool" or label.server:
        name = label.name or "Tool without a name"
        return f"{name} ({label.server})" if label.server else name
    if label.kind == "attachment" and label.name:
        return attachment_words(label.name)
    if label.kind == "answer" and label.name:
        return f"{KINDS['answer']} of {label.name}"
    return kind_words(label.kind)


def attachment_words(name: str) -> str:
    """An attachment by its type."""
    return _ATTACHMENTS.get(name) or _plain(name)


def agent_words(agent: str) -> str:
    """Whose chain it is: the main one's, or a subagent's by its type."""
    if not agent:
        return MAIN
    return "Subagents of unknown type" if agent == _UNNAMED_AGENT else agent


def uri_words(uri: str) -> str:
    """A path or address as it is; a skill or agent by its name."""
    for prefix in ("skill:", "agent:"):
        if uri.startswith(prefix) and uri != prefix:
            return uri.removeprefix(prefix)
    return uri


def project_words(project: str | None) -> str:
    """A project's path."""
    return project or "No project"


def label_words(label: ShareLabel) -> str:
    """All items of one label: a tool, what it was about, and whose subagent called it."""
    what = _about(tool_words(label), label)
    return f"{what}, in {agent_words(label.agent)}" if label.agent else what


def item_words(label: ShareLabel) -> str:
    """One item: its tool, and what that was about."""
    if label.kind == "base" and label.agent:
        return f"Base of the prompt of {agent_words(label.agent)}"
    if label.kind == "answer" and label.name:
        return f"Answer of {label.name}"
    return _about(_ONE.get(label.kind) or tool_words(label), label)


def _about(what: str, label: ShareLabel) -> str:
    if not label.uri:
        return what
    # The text of a skill enters by itself, after the call for it.
    if label.kind == "meta" and label.uri.startswith("skill:"):
        what = "Text of a skill"
    return f"{what}: {uri_words(label.uri)}"


def _plain(name: str) -> str:
    words = " ".join(name.replace("_", " ").replace("-", " ").split())
    return words[:1].upper() + words[1:] or "Unnamed"
