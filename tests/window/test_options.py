"""What the options of windows, budgets and policies have to be: what is none is named at once."""

from typing import Any

import pytest

from tests.window.talk import MODEL, agent, user
from token_tracking.window.budget import Budget
from token_tracking.window.errors import InvalidBudgetError
from token_tracking.window.policies.cap import CapToolResults
from token_tracking.window.policies.checks import check_tools
from token_tracking.window.policies.clear import ClearToolResults
from token_tracking.window.policies.emergency import Emergency
from token_tracking.window.policies.native import Native
from token_tracking.window.policies.sliding import SlidingWindow
from token_tracking.window.window import ContextWindow


@pytest.mark.parametrize(
    ("policy", "options"),
    [
        (CapToolResults, {"max_tokens": 0}),
        (CapToolResults, {"max_tokens": -5}),
        (CapToolResults, {"max_tokens": "8000"}),
        (CapToolResults, {"keep": "tail"}),
        (CapToolResults, {"exclude_tools": "look_up"}),
        (Emergency, {"aim": 0}),
        (Emergency, {"aim": 5}),
        (Native, {"trigger": -1}),
        (Native, {"keep": -1}),
        (Native, {"clear_at_least": 0}),
        (Native, {"compact": "60000"}),
        (Native, {"exclude_tools": "look_up"}),
    ],
)
def test_an_option_of_a_policy_that_makes_no_sense_is_named(policy: Any, options: dict[str, Any]):
    with pytest.raises(InvalidBudgetError, match=next(iter(options))):
        policy(**options)


def test_what_a_policy_may_be_told_is_taken():
    CapToolResults(max_tokens=1, keep="matching", exclude_tools=frozenset({"look_up"}))
    Emergency(aim=1)
    Native(trigger=1, keep=0, clear_at_least=1, compact=50_000)


@pytest.mark.parametrize("names", ["look_up", b"look_up", None, 5, {"a": 1}, [5], iter("a")])
def test_what_are_no_names_of_tools_is_named(names: Any):
    with pytest.raises(InvalidBudgetError, match="exclude_tools"):
        check_tools("exclude_tools", names)


@pytest.mark.parametrize("names", [(), ["look_up"], ("a", "b"), {"a"}, frozenset({"a"})])
def test_names_of_tools_may_be_in_any_collection(names: Any):
    check_tools("exclude_tools", names)


def window_with(name: str, value: Any) -> ContextWindow:
    options: dict[str, Any] = {"model": MODEL, name: value}
    return ContextWindow(**options)


def budget_of(**amounts: Any) -> Budget:
    return Budget(**amounts)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model", None),
        ("model", ""),
        ("model", 5),
        ("budget", {"max_context_tokens": 5}),
        ("budget", {}),
        ("policy", "clear"),
        ("policy", ClearToolResults),
        ("policy", [Emergency(), None]),
        ("policy", [SlidingWindow]),
        ("policy", 5),
        ("caching", "2h"),
        ("caching", True),
        ("form", "gemini"),
        ("form", ["openai"]),
        ("window", 0),
        ("window", -1),
        ("window", "200000"),
        ("alert_at", 5),
        ("alert_at", "75"),
        ("alert_at", None),
        ("alert_at", ["0.5"]),
        ("on_alert", "print"),
    ],
)
def test_an_argument_of_a_window_that_makes_no_sense_is_named(name: str, value: Any):
    with pytest.raises(InvalidBudgetError, match=name):
        window_with(name, value)


def test_policies_may_be_given_alone_or_in_any_iterable():
    slide, last = SlidingWindow(), Emergency()
    assert ContextWindow(MODEL, None, last).policies == (last,)
    assert ContextWindow(MODEL, None, iter([slide, last])).policies == (slide, last)
    assert ContextWindow(MODEL, None, ()).policies == ()


@pytest.mark.parametrize("name", ["max_history_tokens", "max_rag_tokens"])
def test_a_part_larger_than_the_whole_is_refused(name: str):
    with pytest.raises(InvalidBudgetError, match=rf"{name} is 1,001.*only 1,000"):
        budget_of(**{"max_context_tokens": 1_000, name: 1_001})
    budget_of(**{"max_context_tokens": 1_000, name: 1_000})
    budget_of(**{name: 1_001})


def test_parts_may_come_to_more_than_the_whole():
    Budget(max_context_tokens=1_000, max_history_tokens=900, max_rag_tokens=900)


@pytest.mark.parametrize(
    ("model", "form"),
    [("gpt-5.2", "openai"), ("gemini-3-pro", "openai"), (MODEL, "anthropic"), ("x", "anthropic")],
)
async def test_the_model_decides_the_form_where_the_messages_do_not(model: str, form: str):
    prepared = await ContextWindow(model).prepare("You are kind. " * 300, [user("hello")])
    assert prepared.form == form
    assert ("system" in prepared.request()) == (form == "anthropic")


async def test_the_messages_decide_the_form_where_they_tell():
    prepared = await ContextWindow("gpt-5.2").prepare(None, agent(1))
    assert prepared.form == "anthropic"
