"""Every policy, and several together, keep random conversations valid as they grow."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.window.strategies import Message, anthropic_conversations, openai_conversations
from tests.window.talk import json_of, listed, word_counter
from token_tracking.window.budget import Budget
from token_tracking.window.content_store import MemoryContentStore
from token_tracking.window.errors import DoesNotFitError
from token_tracking.window.forms import FORMS
from token_tracking.window.laws import validate
from token_tracking.window.policies.cap import CapToolResults
from token_tracking.window.policies.clear import ClearToolResults
from token_tracking.window.policies.default import default_policy
from token_tracking.window.policies.emergency import Emergency
from token_tracking.window.policies.hybrid import Hybrid
from token_tracking.window.policies.native import Native
from token_tracking.window.policies.policy import Policy
from token_tracking.window.policies.reset import AutoReset
from token_tracking.window.policies.sliding import SlidingWindow
from token_tracking.window.policies.summarize import Summarize
from token_tracking.window.policies.tool_call_limit import ToolCallLimit
from token_tracking.window.prepared import Prepared
from token_tracking.window.summaries import SummaryRequest
from token_tracking.window.window import ContextWindow

FormName = Literal["anthropic", "openai"]


def brief(request: SummaryRequest) -> str:
    return f"{request.turns} turns about the invoice"


def failing(request: SummaryRequest) -> str:
    raise RuntimeError("not today")


def clear() -> Policy:
    return ClearToolResults(keep=1, is_gated=False, least_tokens=5, keep_used=False)


def stored() -> list[Policy]:
    store = MemoryContentStore()
    return [
        CapToolResults(max_tokens=40, store=store),
        ClearToolResults(keep=1, is_gated=False, store=store),
        Emergency(store=store),
    ]


POLICIES: dict[str, Callable[[], Sequence[Policy]]] = {
    "none": lambda: (),
    "clear": lambda: [clear()],
    "clear where it pays": lambda: [ClearToolResults(keep=1, least_tokens=5)],
    "cap": lambda: [CapToolResults(max_tokens=40)],
    "cap by match": lambda: [CapToolResults(max_tokens=40, keep="matching")],
    "slide": lambda: [SlidingWindow(max_tokens=100, keep_turns=0)],
    "summarize": lambda: [Summarize(brief, threshold=0.01, keep_turns=0, is_gated=False)],
    "summarize in vain": lambda: [Summarize(failing, threshold=0.01, keep_turns=0)],
    "hybrid": lambda: [Hybrid(brief, threshold=0.01, keep_turns=0)],
    "reset": lambda: [AutoReset(threshold=0.01)],
    "reset with a summary": lambda: [AutoReset(threshold=0.01, summariser=brief)],
    "tool call limit": lambda: [ToolCallLimit(per_turn=1)],
    "native": lambda: [Native(otherwise=clear())],
    "emergency": lambda: [Emergency()],
    "default": default_policy,
    "cap, clear, emergency, with a store": stored,
    "limit, cap, clear, slide, emergency": lambda: [
        ToolCallLimit(per_turn=1),
        CapToolResults(max_tokens=60),
        clear(),
        SlidingWindow(max_tokens=150, keep_turns=0),
        Emergency(),
    ],
    "clear, summarize, reset, emergency": lambda: [
        clear(),
        Summarize(brief, threshold=0.3, keep_turns=0, is_gated=False),
        AutoReset(threshold=0.5),
        Emergency(),
    ],
}


FRONT = ("system", "developer")


def window_with(name: str, form: FormName, context: int | None) -> ContextWindow:
    budget = Budget(max_context_tokens=context)
    return ContextWindow(
        "claude-sonnet-4-5", budget, POLICIES[name](), form=form, counter=word_counter()
    )


def conversations(form: FormName) -> st.SearchStrategy[list[Message]]:
    return anthropic_conversations() if form == "anthropic" else openai_conversations()


def growing(messages: list[Message]) -> list[list[Message]]:
    """What a caller sends, request by request."""
    fronts = [messages[: end + 1] for end in range(len(messages))]
    return [each for each in fronts if each[-1]["role"] != "assistant" and not validate(each)]


def check(prepared: Prepared, messages: list[Message], form: FormName) -> None:
    marked = sum("cache_control" in block for block in listed(prepared.system))
    is_added = form == "openai" and messages[0]["role"] not in FRONT
    sent = prepared.messages[1:] if is_added else prepared.messages
    broken = validate(sent, form=FORMS[form], original=messages, breakpoints_elsewhere=marked)
    assert broken is None
    parts = prepared.tokens
    whole = parts.system + parts.tools + parts.history + parts.documents + parts.user
    assert whole + parts.overhead == parts.total == prepared.costs.cache.prompt_tokens
    assert min(parts.system, parts.tools, parts.history, parts.documents, parts.user) >= 0
    assert min(prepared.costs.cache) >= 0


@pytest.mark.parametrize("form", ["anthropic", "openai"])
@pytest.mark.parametrize("name", POLICIES)
@settings(deadline=None, max_examples=5)
@given(data=st.data(), context=st.none() | st.integers(60, 2_000))
async def test_every_request_is_valid_and_its_parts_add_up(
    name: str, form: FormName, data: st.DataObject, context: int | None
):
    messages = data.draw(conversations(form))
    window = window_with(name, form, context)
    billed = data.draw(st.booleans())
    for request in growing(messages):
        with suppress(DoesNotFitError):
            system = None if request[0]["role"] in FRONT else "be brief"
            prepared = await window.prepare(system, request, documents=["a page of facts"])
            check(prepared, request, form)
            assert context is None or prepared.tokens.total <= context
            if billed:
                window.observe({"input_tokens": prepared.tokens.total + 7, "output_tokens": 9})


@pytest.mark.parametrize("form", ["anthropic", "openai"])
@pytest.mark.parametrize("name", ["clear", "cap", "default", "tool call limit"])
@settings(deadline=None, max_examples=6)
@given(data=st.data())
async def test_the_same_conversation_from_a_new_window_is_the_same_again(
    name: str, form: FormName, data: st.DataObject
):
    """What is decided does not hang on when the process began."""
    messages = data.draw(conversations(form))
    first, second = (window_with(name, form, None) for _ in range(2))
    for request in growing(messages):
        one = await first.prepare(None, request)
        other = await second.prepare(None, request)
        assert one.messages == other.messages


@pytest.mark.parametrize("name", ["none", "clear", "cap", "native", "tool call limit"])
@settings(deadline=None, max_examples=10)
@given(data=st.data())
async def test_a_conversation_that_changes_behind_our_back_stays_valid(
    name: str, data: st.DataObject
):
    messages = data.draw(anthropic_conversations())
    window = window_with(name, "anthropic", 400)
    requests = growing(messages)
    order = data.draw(st.lists(st.sampled_from(requests), min_size=1, max_size=6))
    for request in order:
        with suppress(DoesNotFitError):
            check(await window.prepare("be brief", request), request, "anthropic")


@settings(deadline=None, max_examples=20)
@given(data=st.data())
async def test_what_was_sent_changes_only_where_an_action_says_so(data: st.DataObject):
    messages = data.draw(anthropic_conversations())
    window = window_with("clear", "anthropic", None)
    before: list[str] = []
    for request in growing(messages):
        prepared = await window.prepare("be brief", request)
        texts = json_of(prepared.messages)
        if not any(action.is_done for action in prepared.actions):
            assert texts[: len(before)] == before
        before = texts
