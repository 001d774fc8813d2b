"""Conversations in the peers' own forms and back; and, where their environment is there, the
libraries themselves."""

import copy
from collections.abc import Iterator

import pytest
from hypothesis import given

from benchmarks.window_peers import PEERS
from benchmarks.window_peers.client import REPOSITORY, PeerProcess
from benchmarks.window_peers.environment import installed
from benchmarks.window_peers.history import History, Message
from benchmarks.window_peers.openai_form import OpenAIForm
from tests.benchmarks.peer_conversations import (
    CALLS,
    RESULTS,
    SHORT,
    agent_loop,
    conversations,
    opened,
    talk,
)


def through_openai(messages: list[Message]) -> tuple[History[Message], OpenAIForm, list[Message]]:
    form = OpenAIForm()
    history = History(form.convert)
    history.advance(0, messages)
    return history, form, copy.deepcopy(history.parts)


def rejoined(history: History[Message], form: OpenAIForm, parts: list[Message]) -> list[Message]:
    return history.rejoined([form.piece(part) for part in parts])


@given(conversations())
def test_what_nobody_shortened_comes_back_from_chat_completions(messages: list[Message]) -> None:
    history, form, parts = through_openai(messages)
    assert rejoined(history, form, parts) == [{"ref": n} for n in range(len(messages))]


def test_chat_completions_hold_calls_results_and_thinking_in_their_places() -> None:
    _, _, (user, answer, first, second, said) = through_openai(SHORT)
    call = {"name": "ls", "arguments": '{"path": "a"}'}
    assert user["content"] == "List the files."
    assert answer["content"] == "I look at both."
    assert answer["tool_calls"][0] == {"id": "t1", "type": "function", "function": call}
    assert answer["thinking_blocks"] == CALLS["content"][:1]
    assert (first["role"], first["tool_call_id"], first["content"]) == ("tool", "t1", "one.py")
    url = {"url": "data:image/png;base64,aWdub3JlZA=="}
    assert second["content"] == [{"type": "image_url", "image_url": url}]
    assert (said["role"], said["content"]) == ("user", "Go on.")


def test_a_shortened_answer_keeps_its_thinking_and_its_calls() -> None:
    history, form, parts = through_openai(SHORT)
    parts[1]["content"] = "I .. both."
    thinking, _, *calls = CALLS["content"]
    shortened = [thinking, {"type": "text", "text": "I .. both."}, *calls]
    assert rejoined(history, form, parts)[1] == {"role": "assistant", "content": shortened}


def test_a_shortened_result_still_answers_its_call() -> None:
    history, form, parts = through_openai(SHORT)
    parts[2]["content"] = "o..y"
    message = rejoined(history, form, parts)[2]
    first, *others = RESULTS["content"]
    assert message["content"] == [{**first, "content": "o..y"}, *others]


def test_a_lost_result_leaves_the_rest_of_its_message() -> None:
    history, form, parts = through_openai(SHORT)
    del parts[2]
    assert rejoined(history, form, parts)[2] == {**RESULTS, "content": RESULTS["content"][1:]}


def test_parts_go_back_with_their_messages() -> None:
    history, form, _ = through_openai(SHORT)
    other = {"role": "user", "content": "No, count them."}
    history.advance(2, [other])
    assert rejoined(history, form, history.parts) == [{"ref": 0}, {"ref": 1}, {"ref": 2}]
    assert [part["content"] for part in history.parts][-1] == "No, count them."


@pytest.fixture(scope="module")
def peers() -> Iterator[PeerProcess]:
    """The real peers."""
    python = installed(REPOSITORY / ".cache")
    if python is None:
        pytest.skip("the peers are not installed: the window benchmark installs them")
    with PeerProcess([str(python), "-m", "benchmarks.window_peers"]) as process:
        yield process


@pytest.mark.slow
@pytest.mark.parametrize("peer", sorted(PEERS))
def test_each_peer_leaves_a_short_conversation_as_it_is(peers: PeerProcess, peer: str) -> None:
    session = opened(peers, peer)
    assert session.prepare(0, SHORT).origins == [0, 1, 2]
    answer = session.prepare(3, [CALLS, RESULTS], {"input_tokens": 900, "output_tokens": 20})
    assert answer.messages == [*SHORT, CALLS, RESULTS]
    assert (answer.extra, answer.note, answer.error) == (None, None, None)
    assert session.versions


@pytest.mark.slow
@pytest.mark.parametrize("peer", ["langchain_nothing", "litellm_nothing"])
def test_any_conversation_comes_back_from_the_real_conversion(
    peers: PeerProcess, peer: str
) -> None:
    session = opened(peers, peer)

    @given(conversations())
    def check(messages: list[Message]) -> None:
        assert session.prepare(0, messages).origins == list(range(len(messages)))

    check()


@pytest.mark.slow
def test_langchain_clears_all_but_three_results_and_nothing_else(peers: PeerProcess) -> None:
    messages = agent_loop(calls=30, characters=20_000)
    answer = opened(peers, "langchain_clear").prepare(0, messages)
    assert answer.messages is not None
    results = [message["content"][0] for message in answer.messages[2::2]]
    assert [result["content"] == "[cleared]" for result in results] == [True] * 27 + [False] * 3
    assert [result["tool_use_id"] for result in results] == [f"c{n}" for n in range(30)]
    assert answer.messages[1::2] == messages[1::2]


@pytest.mark.slow
def test_langchain_trims_from_the_front(peers: PeerProcess) -> None:
    messages = agent_loop(calls=30, characters=20_000)
    origins = opened(peers, "langchain_trim").prepare(0, messages).origins
    assert origins == list(range(61 - len(origins), 61))
    assert 30 < len(origins) < 61
    assert opened(peers, "langchain_trim_documented").prepare(0, messages).messages == []


@pytest.mark.slow
def test_a_summary_stays_until_the_history_goes_back_behind_it(peers: PeerProcess) -> None:
    session = opened(peers, "langchain_summary")
    messages = talk(turns=30, words=300)
    first = session.prepare(0, messages)
    assert first.extra is not None
    assert first.extra.prompt_tokens > 3_000
    assert first.messages is not None
    assert first.messages[0]["content"].startswith("Here is a summary")
    assert first.origins == [None, *range(41, 61)]
    second = session.prepare(61, [messages[1], messages[0]])
    assert second.messages is not None
    assert second.origins[0] is None
    assert session.prepare(2, messages[:1]).messages == messages[:3]


@pytest.mark.slow
def test_what_was_billed_brings_a_summary_where_the_estimate_would_not(peers: PeerProcess) -> None:
    messages = talk(turns=30, words=1_200)
    billed = {"input_tokens": 170_000, "output_tokens": 100}
    estimated = opened(peers, "langchain_summary_fraction").prepare(0, messages)
    assert estimated.origins == list(range(61))
    summed_up = opened(peers, "langchain_summary_fraction").prepare(0, messages, billed)
    assert summed_up.extra is not None
    assert summed_up.origins[0] is None


@pytest.mark.slow
def test_litellm_trims_to_its_limit_and_says_when_it_did_nothing(peers: PeerProcess) -> None:
    long_talk = talk(turns=4, words=20_000)
    answer = opened(peers, "litellm_trim_100k").prepare(0, long_talk)
    assert answer.origins == [None, 4, 5, 6, 7, 8]
    loop = [*agent_loop(calls=1, characters=20), {"role": "user", "content": "word " * 99_990}]
    answer = opened(peers, "litellm_trim_100k").prepare(0, loop)
    assert answer.messages == loop
    assert "nothing trimmed" in (answer.note or "")
