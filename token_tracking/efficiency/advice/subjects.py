"""What findings are about, where that is no path, tool, server or model."""

import re
from typing import Final

MAIN_CONVERSATION: Final = "main conversation"
SUBAGENTS: Final = "subagents"
"""The client has a setting of its own for the cache of each."""

LONG_BREAKS: Final = "long breaks"
SKILLS: Final = "skills"
SKILL_TOOL: Final = "Skill"

LARGE_TOKENS: Final = 10_000
"""From here on a result is large: Claude Code itself warns of the results of MCP tools from this
size on (its documentation of MCP). Of 2,757 results in 38 real sessions, 24 are that large."""

FILE_TOKENS: Final = 1_000
"""From here on it is worth a word that a file or document is carried for longer than its use."""

_NOT_IN_NAMES: Final = re.compile(r"[^a-zA-Z0-9_-]")


def tool_prefix(server: str) -> str:
    """A server's name as it stands in the names of its tools: `claude.ai Gmail` is
    `claude_ai_Gmail`."""
    return _NOT_IN_NAMES.sub("_", server)
