"""Anthropic's own context editing and compaction, asked for instead of editing here."""

import re
from typing import Any, Final

from msgspec import Struct

from token_tracking.pricing.names import read_model_name
from token_tracking.window.draft import Draft
from token_tracking.window.errors import InvalidBudgetError
from token_tracking.window.policies.checks import check_count, check_tools
from token_tracking.window.policies.policy import Policy

CLEAR_BETA: Final = "context-management-2025-06-27"
COMPACT_BETA: Final = "compact-2026-01-12"
"""What the API wants in `betas`: its documentation of context editing, and of compaction at a
threshold."""

LEAST_COMPACT: Final = 50_000
"""Tokens: the API refuses to compact below it."""

CLEAR_TRIGGER: Final = 100_000
"""Tokens at which the API clears where nothing is said."""

EARLY: Final = 0.8
"""The share of a smaller budget at which the API is asked to clear instead: before it is passed."""

_CLEARING: Final = {"opus": (4, 0), "sonnet": (4, 0), "haiku": (4, 5)}
_COMPACTING: Final = {"opus": (4, 6), "sonnet": (4, 6), "haiku": (5, 5)}
"""By family, the first version that has it; all of the families Fable and Mythos do. From the
lists of models in that documentation, as of November 2026."""

_ALL_VERSIONS: Final = frozenset({"fable", "mythos"})
_MODEL: Final = re.compile(r"claude-([a-z]+)(?:-(\d{1,2}))?(?:-(\d{1,2}))?(?![0-9])")


class Native(Struct, frozen=True, kw_only=True):
    """Has Anthropic's API clear old tool results, and compact where `compact` is given, as its
    edits `clear_tool_uses_20250919` and `compact_20260112` do. Nothing is edited here: the
    arguments that the request needs are in `Prepared.params`, for `client.beta.messages.create`.

    `trigger`, `clear_at_least` and `compact` (50,000 at least) are input tokens, `keep` is a
    number of tool uses; what is `None` is left to the API, but for the trigger of a budget under
    its 100,000. `otherwise` acts for a model, or a form, that has no such thing.

    Raises:
        InvalidBudgetError: a number makes no sense, or `exclude_tools` are no names.
    """

    trigger: int | None = None
    keep: int | None = None
    clear_at_least: int | None = None
    exclude_tools: frozenset[str] = frozenset()
    clear_inputs: bool = False
    compact: int | None = None
    otherwise: Policy | None = None

    def __post_init__(self) -> None:
        for name, value, least in (
            ("trigger", self.trigger, 1),
            ("keep", self.keep, 0),
            ("clear_at_least", self.clear_at_least, 1),
            ("compact", self.compact, 1),
        ):
            if value is not None:
                check_count(name, value, least=least)
        check_tools("exclude_tools", self.exclude_tools)
        if self.compact is not None and self.compact < LEAST_COMPACT:
            raise InvalidBudgetError(
                f"compact is {self.compact:,}: the API compacts at {LEAST_COMPACT:,} or more."
            )

    @property
    def name(self) -> str:
        """As in actions."""
        return "native"

    async def shape(self, draft: Draft) -> None:
        """Ask for it, or leave it to `otherwise`."""
        is_anthropic = draft.conversation.form.name == "anthropic"
        if is_anthropic and has_clearing(draft.model):
            self._ask(draft)
            return
        why = f"{draft.model} has no context editing" if is_anthropic else "it is Anthropic's"
        draft.note(self.name, "context editing by the API", why, done=False)
        if self.otherwise is not None:
            await self.otherwise.shape(draft)

    def _ask(self, draft: Draft) -> None:
        edits, betas = [self._clearing(draft)], [CLEAR_BETA]
        what = "asked the API to clear old tool results"
        if self.compact is not None and has_compaction(draft.model):
            edits.append({"type": "compact_20260112", "trigger": _tokens(self.compact)})
            betas.append(COMPACT_BETA)
            what += ", and to compact"
        elif self.compact is not None:
            why = f"{draft.model} has no compaction"
            draft.note(self.name, "compaction by the API", why, done=False)
        draft.params["context_management"] = {"edits": edits}
        known: list[str] = draft.params.get("betas", [])
        draft.params["betas"] = list(dict.fromkeys([*known, *betas]))
        draft.note(self.name, what, "the API edits what it is sent")

    def _clearing(self, draft: Draft) -> dict[str, Any]:
        edit: dict[str, Any] = {"type": "clear_tool_uses_20250919"}
        trigger = self.trigger
        if trigger is None and draft.room.context <= CLEAR_TRIGGER:
            trigger = int(EARLY * draft.room.context)
        if trigger is not None:
            edit["trigger"] = _tokens(trigger)
        if self.keep is not None:
            edit["keep"] = {"type": "tool_uses", "value": self.keep}
        if self.clear_at_least is not None:
            edit["clear_at_least"] = _tokens(self.clear_at_least)
        if self.exclude_tools:
            edit["exclude_tools"] = sorted(self.exclude_tools)
        if self.clear_inputs:
            edit["clear_tool_inputs"] = True
        return edit


def has_clearing(model: str) -> bool:
    """Whether the API clears tool results for a model."""
    return _is_from(model, _CLEARING)


def has_compaction(model: str) -> bool:
    """Whether the API compacts conversations with a model at a threshold."""
    return _is_from(model, _COMPACTING)


def _is_from(model: str, first: dict[str, tuple[int, int]]) -> bool:
    found = _MODEL.match(read_model_name(model).model)
    if found is None:
        return False
    family, version = found[1], (int(found[2] or 0), int(found[3] or 0))
    return family in _ALL_VERSIONS or version >= first.get(family, (99, 0))


def _tokens(value: int) -> dict[str, Any]:
    return {"type": "input_tokens", "value": value}
