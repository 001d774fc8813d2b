"""Chat with a session: history in front, bytes through, and only whole turns kept."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.gateway.serving import Served, config_of, served_gateway
from tests.upstream.app import Upstream
from tests.upstream.gates import Gate
from tests.upstream.misbehaving import Close, Misbehaving, Send
from tests.upstream.scripts import Answer, Failure, ToolUse, greeting
from token_tracking.errors import StoreError

MODEL = "claude-sonnet-4-5"
KEYS = {
    "anthropic": {"x-api-key": "key", "anthropic-version": "2023-06-01"},
    "openai": {"authorization": "Bearer key"},
}
PATHS = {"anthropic": "/messages", "openai": "/chat/completions"}
MODELS = {"anthropic": MODEL, "openai": "gpt-4o"}
FORMS = ("anthropic", "openai")


class Chatting:
    """Asks the gateway in one form."""

    def __init__(self, http: httpx2.Client, form: str) -> None:
        self.http = http
        self.form = form
        self.session = f"test-{uuid4()}"

    def body(self, *texts: str, **given: Any) -> dict[str, Any]:
        new = [{"role": "user", "content": text} for text in texts]
        body = {"model": MODELS[self.form], "messages": new, **given}
        return {"max_tokens": 500, **body} if self.form == "anthropic" else body

    def ask(self, *texts: str, **given: Any) -> httpx2.Response:
        return self.send(self.body(*texts, **given))

    def send(self, body: dict[str, Any]) -> httpx2.Response:
        return self.http.post(PATHS[self.form], json=body, headers=KEYS[self.form])

    def history(self) -> list[dict[str, Any]]:
        found = self.http.get(f"/sessions/{self.session}", params={"history": True})
        return found.raise_for_status().json()["history"]


@pytest.fixture
def gateway(any_gateway: Served) -> Served:
    return any_gateway


@pytest.fixture
def upstream(any_upstream: Upstream) -> Upstream:
    """One for all tests: each has a session of its own."""
    any_upstream.requests.clear()
    any_upstream.script(greeting)
    return any_upstream


@pytest.fixture
def http(gateway: Served, upstream: Upstream) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=gateway.base_url, timeout=20) as client:
        yield client


@pytest.fixture(params=FORMS)
def chat(request: pytest.FixtureRequest, http: httpx2.Client) -> Chatting:
    return Chatting(http, request.param)


def said(messages: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Roles and texts."""
    return [(each["role"], text_of(each["content"])) for each in messages]


def text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(block.get("text", "") for block in content)


def test_a_session_goes_on_with_only_what_is_new(chat: Chatting, upstream: Upstream) -> None:
    upstream.script(["one", "two", "three"])
    for text in ("a", "b", "c"):
        answer = chat.ask(text, session_id=chat.session).raise_for_status()
        assert answer.headers["x-token-tracking-session"] == chat.session
    wanted = [("user", "a"), ("assistant", "one"), ("user", "b"), ("assistant", "two")]
    assert said(upstream.requests[-1].messages) == [*wanted, ("user", "c")]
    assert said(chat.history()) == [*wanted, ("user", "c"), ("assistant", "three")]


def test_a_session_that_is_not_named_gets_a_new_name(chat: Chatting, upstream: Upstream) -> None:
    name = chat.ask("a").raise_for_status().headers["x-token-tracking-session"]
    other = chat.ask("a").raise_for_status().headers["x-token-tracking-session"]
    assert name != other
    again = chat.http.post(
        PATHS[chat.form],
        json=chat.body("b"),
        headers={**KEYS[chat.form], "x-token-tracking-session": name},
    )
    assert again.headers["x-token-tracking-session"] == name
    assert len(upstream.requests[-1].messages) == 3


def test_a_stream_comes_as_the_upstream_sends_it_and_is_kept(
    chat: Chatting, upstream: Upstream
) -> None:
    upstream.script(["a streamed answer", "next"])
    answer = chat.ask("a", session_id=chat.session, stream=True)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "streamed" in answer.text
    assert said(chat.history()) == [("user", "a"), ("assistant", "a streamed answer")]
    chat.ask("b", session_id=chat.session).raise_for_status()
    assert len(upstream.requests[-1].messages) == 3


def test_the_next_request_may_follow_the_last_event_at_once(
    chat: Chatting, upstream: Upstream
) -> None:
    """Clients stop reading at the last event, and close before the body's own end."""
    upstream.script(["one", "two"])
    end = "message_stop" if chat.form == "anthropic" else "[DONE]"
    body = chat.body("a", session_id=chat.session, stream=True)
    with chat.http.stream("POST", PATHS[chat.form], json=body, headers=KEYS[chat.form]) as answer:
        for line in answer.iter_lines():
            if line.startswith("data:") and end in line:
                break
    chat.ask("b", session_id=chat.session).raise_for_status()
    assert len(upstream.requests[-1].messages) == 3


def test_an_error_comes_through_and_leaves_no_message_behind(
    chat: Chatting, upstream: Upstream
) -> None:
    upstream.script(["one", Failure(529), "two"])
    chat.ask("a", session_id=chat.session)
    failed = chat.ask("lost", session_id=chat.session)
    assert failed.status_code == 529
    assert failed.headers["x-token-tracking-session"] == chat.session
    chat.ask("b", session_id=chat.session).raise_for_status()
    assert said(upstream.requests[-1].messages) == [
        ("user", "a"),
        ("assistant", "one"),
        ("user", "b"),
    ]


def test_a_stream_that_breaks_leaves_no_message_behind(chat: Chatting, upstream: Upstream) -> None:
    upstream.script(["one", Answer("a long answer that breaks", breaks_after=3), "two"])
    chat.ask("a", session_id=chat.session)
    chat.ask("lost", session_id=chat.session, stream=True)
    assert said(chat.history()) == [("user", "a"), ("assistant", "one")]
    chat.ask("b", session_id=chat.session).raise_for_status()
    assert len(upstream.requests[-1].messages) == 3


def test_a_caller_that_goes_away_leaves_no_message_and_frees_the_session(
    chat: Chatting, upstream: Upstream
) -> None:
    gate = Gate(before=3)
    upstream.script([Answer("never heard", gates=(gate,)), "two"])
    body = chat.body("lost", session_id=chat.session, stream=True)
    with chat.http.stream("POST", PATHS[chat.form], json=body, headers=KEYS[chat.form]) as answer:
        next(answer.iter_raw())
    assert upstream.requests[-1].ended.wait(10)
    gate.open()
    chat.ask("b", session_id=chat.session).raise_for_status()
    assert said(upstream.requests[-1].messages) == [("user", "b")]


def test_requests_of_one_session_wait_for_each_other(chat: Chatting, upstream: Upstream) -> None:
    gate = Gate(before=None)
    upstream.script([Answer("one", gates=(gate,)), "to the other", "two"])
    answers: list[httpx2.Response] = []

    def ask(text: str) -> None:
        answers.append(chat.ask(text, session_id=chat.session))

    asking = [threading.Thread(target=ask, args=(text,)) for text in ("a", "b")]
    asking[0].start()
    assert gate.reached.wait(10)
    asking[1].start()
    other = chat.ask("c", session_id=f"{chat.session}-other")
    assert len(upstream.requests) == 2  # the second of this session waits, the other one did not
    gate.open()
    for each in asking:
        each.join(10)
    assert other.status_code == 200
    assert [each.status_code for each in answers] == [200, 200]
    assert said(chat.history())[0::2] == [("user", "a"), ("user", "b")]


def test_calls_of_tools_and_their_results_are_kept(upstream: Upstream, http: httpx2.Client) -> None:
    chat = Chatting(http, "anthropic")
    tools = [{"name": "look", "input_schema": {"type": "object"}}]
    call = Answer("I look.", (ToolUse("look", {"at": "the sea"}, "toolu_1"),), thinking="hm")
    upstream.script([call, "blue"])
    chat.send(chat.body("what colour?", session_id=chat.session, tools=tools, stream=True))
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "blue"}
    new = {"messages": [{"role": "user", "content": [result]}]}
    chat.send({**chat.body(session_id=chat.session), **new}).raise_for_status()
    sent = upstream.requests[-1].json
    assert sent["tools"][0]["name"] == "look"
    kinds = [block["type"] for block in sent["messages"][1]["content"]]
    assert kinds == ["thinking", "text", "tool_use"]
    assert sent["messages"][1]["content"][2]["input"] == {"at": "the sea"}


def test_calls_of_tools_are_kept_in_openais_form(upstream: Upstream, http: httpx2.Client) -> None:
    chat = Chatting(http, "openai")
    call = Answer("", (ToolUse("look", {"at": "the sea"}, "call_1"),))
    upstream.script([call, "blue"])
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]
    chat.send(chat.body("what colour?", session_id=chat.session, tools=tools, stream=True))
    result = {"role": "tool", "tool_call_id": "call_1", "content": "blue"}
    chat.send({**chat.body(session_id=chat.session), "messages": [result]}).raise_for_status()
    sent = upstream.requests[-1].json
    call = sent["messages"][1]["tool_calls"][0]
    assert (call["id"], call["type"], call["function"]["name"]) == ("call_1", "function", "look")
    assert json.loads(call["function"]["arguments"]) == {"at": "the sea"}
    assert sent["tools"] == tools


def test_the_system_prompt_stays_until_another_is_given(chat: Chatting, upstream: Upstream) -> None:
    upstream.script(lambda received: "yes")

    def ask(text: str, system: str | None) -> Any:
        body = chat.body(text, session_id=chat.session)
        if system is not None and chat.form == "anthropic":
            body["system"] = system
        elif system is not None:
            body["messages"].insert(0, {"role": "system", "content": system})
        chat.send(body).raise_for_status()
        sent = upstream.requests[-1].json
        if chat.form == "anthropic":
            return text_of(sent["system"])
        assert [each["role"] for each in sent["messages"]].count("system") == 1
        return sent["messages"][0]["content"]

    assert ask("a", "be kind") == "be kind"
    assert ask("b", None) == "be kind"
    assert ask("c", "be brief") == "be brief"
    assert ask("d", None) == "be brief"


def test_other_fields_go_to_the_upstream_and_ours_do_not(
    chat: Chatting, upstream: Upstream
) -> None:
    chat.ask(
        "a", session_id=chat.session, strategy="none", temperature=0.25, metadata={"user_id": "u"}
    )
    sent = upstream.requests[-1].json
    assert sent["temperature"] == 0.25
    assert sent["metadata"] == {"user_id": "u"}
    assert not sent.keys() & {"session_id", "strategy", "budget"}


def test_a_refused_turn_is_not_kept(http: httpx2.Client, upstream: Upstream) -> None:
    chat = Chatting(http, "anthropic")
    upstream.script(["one", Answer("No.", stop_reason="refusal"), "two"])
    for text in ("a", "bad", "b"):
        chat.ask(text, session_id=chat.session).raise_for_status()
    assert said(upstream.requests[-1].messages)[0::2] == [("user", "a"), ("user", "b")]


def test_old_turns_leave_where_the_budget_is_small(chat: Chatting, upstream: Upstream) -> None:
    upstream.script(lambda received: "word " * 150)
    before = chat.http.get("/metrics").text
    budget = {"max_context_tokens": 1500, "max_output_tokens": 300}
    given = {"session_id": chat.session, "strategy": "sliding_window", "budget": budget}
    chat.ask("the task", **given).raise_for_status()
    for number in range(12):
        chat.ask(f"question {number}", session_id=chat.session).raise_for_status()
    sent = said(upstream.requests[-1].messages)
    assert sent[0][1].startswith("the task")
    assert sent[-1] == ("user", "question 11")
    assert len(sent) < 20
    assert len(chat.history()) == 26
    text = chat.http.get("/metrics").text
    for name, least in (("compactions", 1), ("tokens_saved", 100), ("overflows_avoided", 1)):
        counter = f"token_tracking_{name}_total"
        assert metric(text, counter) - metric(before, counter) >= least, name
    assert metric(text, "token_tracking_active_sessions") >= 1


@pytest.mark.parametrize("strategy", ["none", "default"])
def test_a_session_whose_turns_are_all_marked_goes_on(
    http: httpx2.Client, upstream: Upstream, strategy: str
) -> None:
    chat = Chatting(http, "anthropic")
    mark = {"type": "ephemeral"}
    system = [{"type": "text", "text": "be kind", "cache_control": mark}]
    tools = [{"name": "f", "input_schema": {"type": "object"}, "cache_control": mark}]
    first = {"system": system, "tools": tools, "strategy": strategy}
    for number in range(10):
        texts = [
            {"type": "text", "text": f"{number} {part}", "cache_control": mark} for part in "ab"
        ]
        body = chat.body(session_id=chat.session, **(first if number == 0 else {}))
        answer = chat.send({**body, "messages": [{"role": "user", "content": texts}]})
        assert answer.status_code == 200, answer.text
        sent = upstream.requests[-1].json
        marked = [each for each in sent["messages"] if "cache_control" in json.dumps(each)]
        assert marked[-1] == {"role": "user", "content": texts}
        if strategy == "none":
            assert len(marked) == 1
            assert (sent["system"], sent["tools"][0]["cache_control"]) == (system, mark)
    assert chat.history()[0]["content"][0]["cache_control"] == mark, "the text stays as it was sent"


def test_what_does_not_fit_the_sessions_budget_is_refused(
    chat: Chatting, upstream: Upstream
) -> None:
    budget = {"max_context_tokens": 1000, "max_output_tokens": 300}
    given = {"session_id": chat.session, "strategy": "sliding_window", "budget": budget}
    chat.ask("a", **given).raise_for_status()
    refused = chat.ask("lorem ipsum " * 1000, session_id=chat.session)
    assert refused.status_code == 400
    error = refused.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert chat.session in error["message"]
    assert "or raise max_context_tokens" in error["message"]
    assert len(upstream.requests) == 1
    chat.ask("b", session_id=chat.session).raise_for_status()
    assert said(chat.history())[0::2] == [("user", "a"), ("user", "b")]


def test_a_budget_that_its_model_has_no_room_for_is_refused(
    http: httpx2.Client, upstream: Upstream
) -> None:
    chat = Chatting(http, "anthropic")
    refused = chat.ask("a", session_id=chat.session, budget={"max_output_tokens": 10**6})
    assert refused.status_code == 400
    assert "writes at most" in refused.json()["error"]["message"]
    assert not upstream.requests


@pytest.mark.parametrize("strategy", ["summarize", "hybrid"])
def test_a_summary_is_asked_of_the_same_upstream_with_the_same_key(
    chat: Chatting, upstream: Upstream, strategy: str
) -> None:
    def answer(received: Any) -> str:
        is_summary = "<turns>" in text_of(received.messages[-1]["content"])
        return "They counted words." if is_summary else "word " * 150

    upstream.script(answer)
    budget = {"max_context_tokens": 1500, "max_output_tokens": 300}
    given = {"session_id": chat.session, "strategy": strategy, "budget": budget}
    for number in range(12):
        chat.ask(f"question {number}", **given).raise_for_status()
    asked = [
        each for each in upstream.requests if "<turns>" in text_of(each.messages[-1]["content"])
    ]
    assert asked
    key = "x-api-key" if chat.form == "anthropic" else "authorization"
    assert asked[0].headers[key] == KEYS[chat.form][key]
    assert "They counted words." in json.dumps(upstream.requests[-1].messages)


def test_a_summary_that_fails_fails_no_request(http: httpx2.Client, upstream: Upstream) -> None:
    chat = Chatting(http, "anthropic")

    def answer(received: Any) -> Any:
        is_summary = "<turns>" in text_of(received.messages[-1]["content"])
        return Failure(500) if is_summary else "word " * 150

    upstream.script(answer)
    budget = {"max_context_tokens": 1500, "max_output_tokens": 300}
    given = {"session_id": chat.session, "strategy": "summarize", "budget": budget}
    for number in range(10):
        chat.ask(f"question {number}", **given).raise_for_status()
    assert [each.status for each in upstream.requests].count(500) >= 1


def test_what_a_session_was_billed_stands_in_it(
    chat: Chatting, upstream: Upstream, gateway: Served
) -> None:
    chat.ask("a", session_id=chat.session)
    chat.ask("b", session_id=chat.session, stream=True)
    found = chat.http.get(f"/sessions/{chat.session}").json()
    recorded = [each for each in gateway.recorded() if each["session_id"] == chat.session]
    assert len(recorded) == 2
    assert found["requests"] == 2
    assert found["unbilled_requests"] == 0
    assert found["output_tokens"] == sum(each["output_tokens"] for each in recorded)


def test_summaries_are_billed_to_their_session(
    chat: Chatting, upstream: Upstream, gateway: Served
) -> None:
    def answer(received: Any) -> str:
        is_summary = "<turns>" in text_of(received.messages[-1]["content"])
        return "They counted words." if is_summary else "word " * 150

    upstream.script(answer)
    budget = {"max_context_tokens": 1500, "max_output_tokens": 300}
    given = {"session_id": chat.session, "strategy": "summarize", "budget": budget}
    for number in range(10):
        chat.ask(f"question {number}", **given).raise_for_status()
    assert len(upstream.requests) > 10
    # Those too of a request that then fails, at the provider or here.
    upstream.script(lambda received: Failure(529) if len(received.messages) > 1 else "Words.")
    assert chat.ask("again", session_id=chat.session).status_code == 529
    upstream.requests.clear()
    assert chat.ask("lorem ipsum " * 1000, session_id=chat.session).status_code == 400
    assert len(upstream.requests) == 1
    assert billed(chat) == recorded(chat, gateway)


def test_a_first_answer_that_breaks_off_is_billed_to_its_session(
    http: httpx2.Client, upstream: Upstream, gateway: Served
) -> None:
    chat = Chatting(http, "anthropic")
    upstream.script([Answer("a long answer that breaks", breaks_after=3), "two"])
    chat.ask("lost", session_id=chat.session, stream=True, system="be kind")
    chat.ask("b", session_id=chat.session).raise_for_status()
    assert "system" not in upstream.requests[-1].json
    assert said(upstream.requests[-1].messages) == [("user", "b")]
    found = billed(chat)
    assert found == recorded(chat, gateway)
    assert found[0] == 2


def billed(chat: Chatting) -> tuple[int, int, int]:
    """A session's requests, prompt and output tokens."""
    found = chat.http.get(f"/sessions/{chat.session}").raise_for_status().json()
    assert found["unbilled_requests"] == 0
    return found["requests"], found["prompt_tokens"], found["output_tokens"]


def recorded(chat: Chatting, gateway: Served) -> tuple[int, int, int]:
    """The same by the ledger."""
    rows = [each for each in gateway.recorded() if each["session_id"] == chat.session]
    prompt = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")
    return (
        len(rows),
        sum(row[name] for row in rows for name in prompt),
        sum(row["output_tokens"] for row in rows),
    )


def test_two_gateways_lose_no_turn_of_one_session(
    chat: Chatting, upstream: Upstream, gateway: Served
) -> None:
    """They share a file, and know nothing of each other."""
    chat.ask("a", session_id=chat.session).raise_for_status()
    gate = Gate(before=None)
    upstream.script([Answer("slow", gates=(gate,)), "quick"])
    answers: list[httpx2.Response] = []
    with (
        served_gateway(config_of(upstream.base_url), gateway.ledger.parent) as second,
        httpx2.Client(base_url=second.base_url, timeout=20) as http,
    ):
        other = Chatting(http, chat.form)
        asking = threading.Thread(
            target=lambda: answers.append(chat.ask("b", session_id=chat.session))
        )
        asking.start()
        assert gate.reached.wait(10)
        other.ask("c", session_id=chat.session).raise_for_status()
        gate.open()
        asking.join(10)
    assert answers[0].status_code == 200
    assert said(chat.history())[2:] == [
        ("user", "c"),
        ("assistant", "quick"),
        ("user", "b"),
        ("assistant", "slow"),
    ]
    upstream.script(greeting)
    chat.ask("d", session_id=chat.session).raise_for_status()
    assert len(upstream.requests[-1].messages) == 7


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"session_id": "a/b"}, "session_id has to match"),
        ({"session_id": 3}, "session_id has to match"),
        ({"strategy": "magic"}, "sliding_window"),
        ({"budget": 3}, "budget has to be an object"),
        ({"budget": {"max": 3}}, "max_context_tokens"),
        ({"budget": {"max_context_tokens": 0}}, "max_context_tokens"),
        ({"model": None}, "a model and a list of messages"),
        ({"messages": "hi"}, "a model and a list of messages"),
    ],
)
def test_what_is_wrong_is_said_in_the_apis_own_form(
    chat: Chatting, given: dict[str, Any], told: str
) -> None:
    answer = chat.ask("a", **given)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert told in error["message"]
    assert error["type"] == "invalid_request_error"


def test_a_session_stays_in_its_form(http: httpx2.Client, upstream: Upstream) -> None:
    chat = Chatting(http, "anthropic")
    chat.ask("a", session_id=chat.session).raise_for_status()
    refused = Chatting(http, "openai").ask("b", session_id=chat.session)
    assert refused.status_code == 400
    assert "/messages" in refused.json()["error"]["message"]


def test_a_deleted_session_begins_afresh(chat: Chatting, upstream: Upstream) -> None:
    chat.ask("a", session_id=chat.session)
    assert chat.http.delete(f"/sessions/{chat.session}").status_code == 204
    assert chat.http.delete(f"/sessions/{chat.session}").status_code == 404
    chat.ask("b", session_id=chat.session).raise_for_status()
    assert said(upstream.requests[-1].messages) == [("user", "b")]


def test_a_strategy_stays_until_another_is_given(chat: Chatting) -> None:
    def strategy() -> str:
        return chat.http.get(f"/sessions/{chat.session}").json()["strategy"]

    chat.ask("a", session_id=chat.session, strategy="sliding_window")
    chat.ask("b", session_id=chat.session)
    assert strategy() == "sliding_window"
    headers = {**KEYS[chat.form], "x-token-tracking-window": "hybrid"}
    body = chat.body("c", session_id=chat.session)
    chat.http.post(PATHS[chat.form], json=body, headers=headers)
    assert strategy() == "hybrid"
    chat.ask("d", session_id=chat.session, strategy="none")
    assert strategy() == "none"


def test_where_the_history_cannot_be_read_nothing_is_sent(
    chat: Chatting, upstream: Upstream, gateway: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise StoreError("gateway.db is locked. Close what uses it.")

    monkeypatch.setattr(gateway.gateway.services.histories, "get", fail)
    answer = chat.ask("a", session_id=chat.session)
    assert answer.status_code == 503
    assert "Close what uses it" in answer.json()["error"]["message"]
    assert not upstream.requests
    monkeypatch.undo()
    assert chat.ask("a", session_id=chat.session).status_code == 200


@pytest.mark.parametrize("stream", [False, True])
def test_where_the_history_cannot_be_written_the_answer_comes_all_the_same(
    chat: Chatting, gateway: Served, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    async def fail(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(gateway.gateway.services.histories, "add", fail)
    answer = chat.ask("a", session_id=chat.session, stream=stream)
    assert answer.status_code == 200
    assert "conversation" in answer.text
    assert 'kind="history_not_kept"' in chat.http.get("/metrics").text
    monkeypatch.undo()
    chat.ask("b", session_id=chat.session).raise_for_status()
    assert len(chat.history()) == 2


def test_a_session_survives_the_gateway(upstream: Upstream, tmp_path: Path) -> None:
    config = config_of(upstream.base_url)
    for text in ("a", "b"):
        with (
            served_gateway(config, tmp_path) as served,
            httpx2.Client(base_url=served.base_url) as http,
        ):
            Chatting(http, "anthropic").ask(text, session_id="s").raise_for_status()
    assert len(upstream.requests[-1].messages) == 3


def test_what_an_upstream_breaks_is_broken_for_the_caller(
    before_misbehaving: Served, any_misbehaving: Misbehaving
) -> None:
    any_misbehaving.script([Send(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"), Close()])
    with httpx2.Client(base_url=before_misbehaving.base_url) as http:
        with pytest.raises(httpx2.RemoteProtocolError):
            Chatting(http, "anthropic").ask("a", session_id="s")
        assert http.get("/sessions/s").status_code == 404


def metric(text: str, name: str) -> float:
    (line,) = [line for line in text.splitlines() if line.startswith(f"{name} ")]
    return float(line.split()[1])
