"""What is said of a finding: a title, how it is known, and what to do, a sentence each.

The settings and commands are those of Claude Code's documentation: `promptCacheTtl` and
`subagentPromptCacheTtl` (prompt caching), `MAX_MCP_OUTPUT_TOKENS` and `claude mcp remove` (MCP),
`CLAUDE_CODE_FILE_READ_MAX_OUTPUT_TOKENS`, `BASH_MAX_OUTPUT_LENGTH` and
`CLAUDE_AUTOCOMPACT_PCT_OVERRIDE` (environment variables), `/compact`, `/clear`, `/model`, `/mcp`,
`/plugin` (commands).
"""

import shlex
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from msgspec import Struct

from token_tracking.efficiency.advice.assumed import KEPT_TOKENS, SUMMARY_TOKENS
from token_tracking.efficiency.advice.kinds import (
    FIVE_MINUTE_CACHE,
    IDLE_LAPSE,
    LARGE_RESULT,
    LATE_COMPACTION,
    MODEL_SWITCH,
    NOT_NAMED_AGAIN,
    ONE_HOUR_CACHE,
    REREAD,
    UNUSED_LOAD,
    UNUSED_SERVER,
)
from token_tracking.efficiency.advice.subjects import FILE_TOKENS, LARGE_TOKENS, MAIN_CONVERSATION

_NAMED: Final = 3
_NAME: Final = 40
"""Longer names are shortened in evidence, which is for a glance."""


class Together(Struct, frozen=True):
    """The findings of one piece of advice: the `subjects`, the dearest first, and sums."""

    subjects: list[str]
    tokens: int
    count: int
    sessions: int

    @property
    def subject(self) -> str:
        """The dearest."""
        return self.subjects[0]


class Words(NamedTuple):
    """A piece of advice in words."""

    title: str
    evidence: str
    action: str


def count_of(number: int, one: str, many: str | None = None) -> str:
    """A number of things: `1 session`, `1,200 sessions`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _short(name: str) -> str:
    """A path, server or model of which the end tells the most."""
    name = " ".join(name.split())
    return name if len(name) <= _NAME else "\u2026" + name[1 - _NAME :]


def _unused_server(found: Together) -> Words:
    server = found.subject
    return Words(
        f"The MCP server {server} is never called",
        f"In {count_of(found.sessions, 'session')} it was announced in the prompt and not called"
        f" once; carrying that took {count_of(found.tokens, 'prompt token')}, if each announced"
        f" server has an equal part. Definitions of its tools come on top: nothing tells their"
        f" size.",
        _remove_server(server),
    )


def _remove_server(server: str) -> str:
    if server.startswith(("plugin:", "plugin_")):
        return "Turn the plugin that brings it off in `/plugin`, or the server alone in `/mcp`."
    if server.startswith(("claude.ai ", "claude_ai_")):
        return "Turn it off in `/mcp`, or disconnect it in the settings of claude.ai."
    return (
        f"Remove it with `claude mcp remove {shlex.quote(server)}`, or turn it off in `/mcp` where"
        f" you do not need it."
    )


def _unused_skills(found: Together) -> Words:
    return Words(
        "The list of skills is carried, and no skill is called",
        f"In {count_of(found.sessions, 'session')} the list of skills stood in the prompt, which"
        f" took {count_of(found.tokens, 'prompt token')} in all, and the model called none.",
        "Turn off the plugins whose skills you do not use in `/plugin`, and move skills of one"
        " project into its own `.claude/skills` folder.",
    )


def _reread(found: Together) -> Words:
    more = len(found.subjects) - _NAMED
    files = ", ".join(map(_short, found.subjects[:_NAMED]))
    files += f" and {more:,} more" if more > 0 else ""
    what = f"{count_of(found.count, 'time')} a file was loaded again"
    if not found.count:
        what = "Files that had been loaded again before were carried twice"
    alone = len(found.subjects) == 1
    return Words(
        f"{found.subject if alone else f'{len(found.subjects):,} files'}"
        f" {'is' if alone else 'are'} read again unchanged",
        f"{what}, of the same size and not edited by the session, while the first copy stood in"
        f" the prompt: {files}.",
        "Ask for parts of a file (offset and limit) where you want it looked at again, and say in"
        " CLAUDE.md that files which stand in the conversation need not be read again.",
    )


_CAPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Read": (
            "Have large files searched first and read in parts (offset and limit) or by a subagent,"
            " or cap what one read returns with `CLAUDE_CODE_FILE_READ_MAX_OUTPUT_TOKENS`."
        ),
        "Bash": (
            "Have long output filtered (`grep`, `head`, quiet flags) or written to a file, or cap"
            " it with `BASH_MAX_OUTPUT_LENGTH`."
        ),
        "Agent": "Ask subagents for a short report: what they found, not what they read.",
        "Task": "Ask subagents for a short report: what they found, not what they read.",
    }
)


def _large_result(found: Together) -> Words:
    tool = found.subject
    action = _CAPS.get(tool)
    if action is None and ": " in tool:
        action = (
            "Ask for less at a time (filters, pages, fields), let a subagent read it, or cap what"
            " one call returns with `MAX_MCP_OUTPUT_TOKENS`."
        )
    results = "Results that had come before"
    if found.count:
        mean = found.tokens // found.count
        results = f"{count_of(found.count, 'result')} of {mean:,} tokens on average"
    return Words(
        f"Results of {tool} above {LARGE_TOKENS:,} tokens are carried for long",
        f"{results} stayed in the prompt in {count_of(found.sessions, 'session')}: the money is"
        f" what carrying the part above {LARGE_TOKENS:,} tokens cost, after the request that"
        f" brought it.",
        action or "Ask for less at a time, or let a subagent read it and report.",
    )


def _not_named_again(found: Together) -> Words:
    files = "Files and documents"
    if found.count:
        files = count_of(found.count, "file or document", "files and documents")
    return Words(
        "Files are carried long after their last use",
        f"{files} of {FILE_TOKENS:,} tokens and more stayed in the prompt after the turn that"
        f" loaded them, and no later call names them: {count_of(found.tokens, 'prompt token')}. The"
        f" model may have looked at them without a call.",
        "Run `/compact` or `/clear` between tasks, and let a subagent read what only an answer is"
        " needed of.",
    )


_LEAVES: Final = (
    f"if a compaction leaves about {KEPT_TOKENS:,} tokens (its summary: {SUMMARY_TOKENS:,}), as the"
    " larger of two that were measured"
)
"""What their figures rest on."""


def _idle_lapse(found: Together) -> Words:
    return Words(
        "Long conversations are resumed after breaks of more than an hour",
        f"{count_of(found.count, 'time')}, in {count_of(found.sessions, 'session')}, the cache had"
        f" lapsed and {count_of(found.tokens, 'token')} were written anew. Compacting before the"
        f" break would have saved this much net on the next request, {_LEAVES}.",
        "Run `/compact` before a long break, or begin with `/clear` after it where the task is"
        " another one.",
    )


def _one_hour_cache(found: Together) -> Words:
    return Words(
        f"Keeping the cache for an hour pays in {_where(found)}",
        f"{count_of(found.count, 'time')} a pause of 5 to 60 minutes let the five-minute cache"
        f" lapse, and {count_of(found.tokens, 'token')} were written again; the money is net of the"
        f" higher price of all other writes in {count_of(found.sessions, 'session')}.",
        _set_lifetime(found, "1h"),
    )


def _five_minute_cache(found: Together) -> Words:
    use = "no pause of 5 to 60 minutes made use of it."
    if found.count:
        use = (
            f"only {count_of(found.count, 'pause')} of 5 to 60 minutes made use of it: the money is"
            f" net of {count_of(found.tokens, 'token')} that would have been written again."
        )
    return Words(
        f"Keeping the cache for five minutes is enough in {_where(found)}",
        f"In {count_of(found.sessions, 'session')} writing it for an hour cost more, and {use}",
        _set_lifetime(found, "5m"),
    )


def _where(found: Together) -> str:
    return f"the {found.subject}" if found.subject == MAIN_CONVERSATION else found.subject


def _set_lifetime(found: Together, lifetime: str) -> str:
    is_main = found.subject == MAIN_CONVERSATION
    setting = "promptCacheTtl" if is_main else "subagentPromptCacheTtl"
    return f'Set `"{setting}": "{lifetime}"` in the settings of Claude Code (2.1.243 or later).'


def _model_switch(found: Together) -> Words:
    more = len(found.subjects) - 1
    old, _, new = map(_short, found.subject.partition(" to "))
    return Words(
        "The model is changed in the middle of a conversation",
        f"{count_of(found.count, 'time')} the new model had to write"
        f" {count_of(found.tokens, 'token')} that the other one had in the cache: mostly"
        f" {old} to {new}{', and ' + count_of(more, 'other change') if more else ''}.",
        "Choose the model with `/model` at the start, or change it right after `/clear` or"
        " `/compact`; for a cheaper step, let a subagent of that model do it.",
    )


def _late_compaction(found: Together) -> Words:
    size = int(found.subject)
    where = count_of(found.sessions, "session")
    if found.count:
        where = f"{count_of(found.count, 'time')} in {where}"
    return Words(
        f"Conversations grow long past {size:,} tokens",
        f"Compacting them there ({where}) would have saved this much net, {_LEAVES}; reading again"
        f" what is then missing is not counted.",
        f"Run `/compact` at a natural stop once `/context` shows more than {size:,} tokens, or have"
        f" it done earlier with `CLAUDE_AUTOCOMPACT_PCT_OVERRIDE` (percent of the window).",
    )


WORDS: Final[Mapping[str, Callable[[Together], Words]]] = MappingProxyType(
    {
        UNUSED_SERVER: _unused_server,
        UNUSED_LOAD: _unused_skills,
        REREAD: _reread,
        LARGE_RESULT: _large_result,
        NOT_NAMED_AGAIN: _not_named_again,
        IDLE_LAPSE: _idle_lapse,
        ONE_HOUR_CACHE: _one_hour_cache,
        FIVE_MINUTE_CACHE: _five_minute_cache,
        MODEL_SWITCH: _model_switch,
        LATE_COMPACTION: _late_compaction,
    }
)
"""What to say, by kind."""
