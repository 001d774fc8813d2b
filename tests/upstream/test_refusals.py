"""What the real API refuses, the local one refuses, in the same words."""

from collections.abc import Iterator
from typing import Any

import pytest
from anthropic import Anthropic, APIStatusError, BadRequestError, NotFoundError

from tests.upstream.app import Upstream
from tests.upstream.models import Model
from tests.upstream.serve import served
from tests.upstream.signatures import signature_of

MODEL = "claude-opus-4-8"
TASK = {"role": "user", "content": "Look at both."}
TTL = "must not come after a ttl='5m'"


def call(name: str) -> dict[str, Any]:
    return {"type": "tool_use", "id": name, "name": "look", "input": {}}


def result(name: str) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": name, "content": "Seen."}


def text(words: str, **fields: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **fields}


def marked(ttl: str = "5m") -> dict[str, Any]:
    return text("a", cache_control={"type": "ephemeral", "ttl": ttl})


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": [*blocks]}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": [*blocks]}


def thought(words: str, signature: str | None = None) -> dict[str, Any]:
    return {"type": "thinking", "thinking": words, "signature": signature or signature_of(words)}


BOTH = assistant(call("t1"), call("t2"))
CONVERSATIONS: dict[str, tuple[list[Any], str]] = {
    "no messages": ([], "messages: at least one message is required"),
    "an assistant first": ([assistant(text("Hi")), TASK], 'first message must use the "user" role'),
    "an assistant last": ([TASK, assistant(text("Hi"))], "does not support assistant message pre"),
    "an unknown role": ([{"role": "tool", "content": "x"}], "messages.0.role: Input should be"),
    "no content": ([{"role": "user"}], "messages.0.content: Field required"),
    "more fields": ([{**TASK, "name": "x"}], "messages.0.name: Extra inputs are not permitted"),
    "an empty user": ([user()], "messages.0: user messages must have non-empty content"),
    "an empty string": ([{"role": "user", "content": ""}], "user messages must have non-empty"),
    "an empty assistant": ([TASK, assistant(), TASK], "messages.1: all messages must have non-emp"),
    "an empty text": ([user(text(""), text("a"))], "messages: text content blocks must be non-em"),
    "a blank text": ([{"role": "user", "content": " \n"}], "must contain non-whitespace text"),
    "an unknown block": ([user({"type": "x"})], "messages.0.content.0: Input tag 'x' found using"),
    "a block without type": ([user({})], "messages.0.content.0.type: Field required"),
    "a field too many": ([user(text("a", b=1))], "messages.0.content.0.text.b: Extra inputs"),
    "no id": ([TASK, assistant({"type": "tool_use", "name": "a", "input": {}})],
              "messages.1.content.0.tool_use.id: Field required"),
    "a bad id": ([TASK, assistant(call("t 1"))], "tool_use.id: String should match pattern"),
    "input as text": ([TASK, assistant({**call("t1"), "input": "{}"})], "a valid dictionary"),
    "a result of no list": ([TASK, BOTH, user({**result("t1"), "content": 1})], "a valid list"),
    "a call without result": ([TASK, BOTH, user(result("t1"))],
                              "messages.1: `tool_use` ids were found without `tool_result` bl"),
    "no results at all": ([TASK, BOTH, TASK], "immediately after: t1, t2. Each"),
    "text before a result": ([TASK, assistant(call("t1")), user(text("a"), result("t1"))],
                             "messages.1: `tool_use` ids were found without"),
    "results in two messages": ([TASK, BOTH, user(result("t1")), user(result("t2"))],
                                "messages.1: `tool_use` ids were found without"),
    "a result without call": ([TASK, assistant(text("a")), user(result("t1"))],
                              "messages.2.content.0: unexpected `tool_use_id` found in `tool_r"),
    "a first result": ([user(result("t1"))], "messages.0.content.0: unexpected `tool_use_id`"),
    "a result twice": ([TASK, assistant(call("t1")), user(result("t1"), result("t1"))],
                       "Found multiple `tool_result` blocks with id: t1"),
    "an id twice": ([TASK, assistant(call("t1")), user(result("t1")), assistant(call("t1")),
                     user(result("t1"))], "messages.3.content.0: `tool_use` ids must be unique"),
    "a user's call": ([user(call("t1"))], "`tool_use` blocks can only be in `assistant` messages"),
    "an assistant's result": ([TASK, assistant(result("t1")), TASK], "can only be in `user` mess"),
    "thinking that changed": ([TASK, assistant(thought("a", signature_of("b")), text("c")), TASK],
                              "messages.1.content.0: Invalid `signature` in `thinking` block"),
    "marked thinking": ([TASK, assistant({**thought("a"), "cache_control": {}}, text("c")), TASK],
                        "thinking.cache_control: Extra inputs are not permitted"),
    "five breakpoints": ([user(*[marked()] * 5)],
                         "A maximum of 4 blocks with cache_control may be provided. Found 5."),
    "an hour after minutes": ([user(marked(), marked("1h"))], TTL),
    "an unknown lifetime": ([user(marked("2h"))], "ephemeral.ttl: Input should be '5m' or '1h'"),
    "a summary without its beta": ([user(text("a")), assistant({"type": "compaction"}), TASK],
                                   "Input tag 'compaction' found"),
}  # fmt: skip

FIELDS: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown field": ({"extra_body": {"magic": 1}}, "magic: Extra inputs are not permitted"),
    "output below nothing": ({"max_tokens": -1}, "greater than or equal to 0"),
    "little thinking": ({"thinking": {"type": "enabled", "budget_tokens": 9}}, "equal to 1024"),
    "much thinking": ({"thinking": {"type": "enabled", "budget_tokens": 2_000}}, "`max_tokens` mu"),
    "a blank system": ({"system": " "}, "system: text content blocks must contain non-whitesp"),
    "an empty system block": ({"system": [text("")]}, "system: text content blocks must be non-"),
    "a system of images": ({"system": [{"type": "image"}]}, "system.0.type: Input should be"),
    "no schema": ({"tools": [{"name": "a"}]}, "tools.0.custom.input_schema: Field required"),
    "a bad tool name": ({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]},
                        "tools.0.custom.name: String should match pattern"),
    "a tool twice": ({"tools": [{"name": "a", "input_schema": {"type": "object"}}] * 2},
                     "tools: Tool names must be unique."),
    "a system of minutes": ({"system": [marked()], "cache_control": {"type": "ephemeral",
                                                                     "ttl": "1h"}}, TTL),
    "edits without their beta": ({"extra_body": {"context_management": {"edits": []}}},
                                 "context_management: Extra inputs are not permitted"),
}  # fmt: skip


def ask(client: Anthropic, **fields: Any) -> Any:
    asked: dict[str, Any] = {"model": MODEL, "max_tokens": 1_000, "messages": [TASK]}
    create: Any = client.messages.create
    return create(**(asked | fields))


@pytest.fixture(scope="module")
def shared() -> Iterator[Anthropic]:
    """A client of one server for many tests: a refusal leaves nothing behind."""
    with (
        served() as upstream,
        Anthropic(api_key="test", base_url=upstream.base_url, max_retries=0) as client,
    ):
        yield client


@pytest.mark.parametrize("case", CONVERSATIONS)
def test_a_broken_conversation_is_refused(shared: Anthropic, case: str) -> None:
    messages, words = CONVERSATIONS[case]
    with pytest.raises(BadRequestError) as caught:
        ask(shared, messages=messages)
    assert words in caught.value.message


@pytest.mark.parametrize("case", FIELDS)
def test_a_wrong_field_is_refused(shared: Anthropic, case: str) -> None:
    fields, words = FIELDS[case]
    with pytest.raises(BadRequestError) as caught:
        ask(shared, **fields)
    assert words in caught.value.message


@pytest.mark.parametrize(
    "messages",
    [
        [TASK, BOTH, user(result("t1"), result("t2"), text("And now?"))],
        [TASK, assistant(text("\n"), call("t1")), user(result("t1"))],
        [TASK, assistant(call("t1")), user({"type": "tool_result", "tool_use_id": "t1"})],
        [TASK, assistant(call("t1")), user({**result("t1"), "content": []})],
        [TASK, TASK],
        [TASK, assistant(thought("a"), text("b")), TASK],
    ],
)
def test_what_the_api_takes_is_taken(shared: Anthropic, messages: list[Any]) -> None:
    assert ask(shared, messages=messages).type == "message"


def test_calls_that_are_answered_keep_their_thinking(client: Anthropic) -> None:
    thinking = {"type": "enabled", "budget_tokens": 1_024}
    fields: dict[str, Any] = {"thinking": thinking, "max_tokens": 2_000}
    answered = user(result("t1"))
    messages = [TASK, assistant(thought("a"), call("t1")), answered]
    assert ask(client, messages=messages, **fields).type == "message"
    with pytest.raises(BadRequestError, match=r"messages.1.content.0.type: Expected `thinking`"):
        ask(client, messages=[TASK, assistant(call("t1")), answered], **fields)


def test_an_older_model_takes_the_beginning_of_its_answer(client: Anthropic) -> None:
    messages = [TASK, assistant(text("I see"))]
    assert ask(client, model="claude-haiku-4-5", messages=messages).type == "message"
    messages = [TASK, assistant(text("I see "))]
    with pytest.raises(BadRequestError, match="cannot end with trailing whitespace"):
        ask(client, model="claude-haiku-4-5", messages=messages)


def test_a_foreign_signature_may_be_allowed(client: Anthropic, upstream: Upstream) -> None:
    upstream.messages.check_signatures = False
    assert ask(client, messages=[TASK, assistant(thought("a", "b"), text("c")), TASK])


def test_an_unknown_model_is_not_found(client: Anthropic) -> None:
    with pytest.raises(NotFoundError) as caught:
        ask(client, model="claude-nothing")
    body: Any = caught.value.body
    assert body["error"] == {"type": "not_found_error", "message": "model: claude-nothing"}


def test_a_prompt_that_is_too_long_says_by_how_much(client: Anthropic, upstream: Upstream) -> None:
    upstream.models.add(Model("small", "Small", context=100))
    assert ask(client, model="small", messages=[user(text("x" * 400))])
    with pytest.raises(BadRequestError, match="prompt is too long: 101 tokens > 100 maximum"):
        ask(client, model="small", messages=[user(text("x" * 401))])


def test_a_refused_request_takes_no_step_of_the_script(
    client: Anthropic, upstream: Upstream
) -> None:
    upstream.script(["Only once."])
    with pytest.raises(APIStatusError):
        ask(client, messages=[])
    assert ask(client).content[0].text == "Only once."
