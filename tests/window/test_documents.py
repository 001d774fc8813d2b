"""Documents: which are chosen for a budget, and where they stand in a request."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from token_tracking.counting.tokens import encoding_tokens_many
from token_tracking.window.budget import Budget
from token_tracking.window.documents import Chosen, Document, choose, joined, read_documents, tagged
from token_tracking.window.laws import validate
from token_tracking.window.prepared import Prepared
from token_tracking.window.rag import put_documents
from token_tracking.window.sections import GAP, best_sections, sections
from token_tracking.window.window import ContextWindow

Message = dict[str, Any]


def count(text: str) -> int:
    return encoding_tokens_many([text], "o200k_base")[0] if text else 0


def words(text: str) -> int:
    """A count that is easy to follow."""
    return len(text.split())


def window(budget: Budget | None = None, model: str = "claude-sonnet-4-5") -> ContextWindow:
    return ContextWindow(model, budget, (), caching=None)


def said(content: str) -> Message:
    return {"role": "user", "content": content}


def answered(content: str) -> Message:
    return {"role": "assistant", "content": content}


EARLIER = [said("hello"), answered("hello")]


def names(chosen: Sequence[Chosen]) -> list[str | None]:
    return [each.document.title for each in chosen]


def of(title: str, size: int, score: float | None = None) -> Document:
    return Document(text=" ".join([title] * size), title=title, score=score)


# --- what is chosen


def test_all_documents_are_taken_where_there_is_room():
    chosen = choose([of("a", 5), of("b", 5)], 500, words)
    assert names(chosen) == ["a", "b"]
    assert all(each.is_whole for each in chosen)


def test_documents_with_scores_are_ranked_by_them():
    chosen = choose([of("low", 5, 0.1), of("high", 5, 0.9)], 500, words)
    assert names(chosen) == ["high", "low"]


def test_the_order_is_the_rank_where_a_score_is_missing():
    assert names(choose([of("a", 5, 0.1), of("b", 5)], 500, words)) == ["a", "b"]


def test_of_two_with_the_same_score_the_first_stays_first():
    chosen = choose([of("a", 5, 0.5), of("b", 5, 0.5), of("c", 5, 0.5)], 500, words)
    assert names(chosen) == ["a", "b", "c"]


def test_the_same_text_is_taken_once():
    twin = Document(text="one  two\nthree", title="twin")
    chosen = choose([Document(text="one two three", title="first"), twin], 500, words)
    assert names(chosen) == ["first"]


def test_several_good_ones_are_worth_more_than_one_large_one():
    large, small = of("large", 200, 1.0), [of(f"small{n}", 50, 0.7) for n in range(4)]
    chosen = choose([large, *small], 220, words)
    assert [each.document.title for each in chosen if each.is_whole] == [
        "small0",
        "small1",
        "small2",
        "small3",
    ]


def test_one_large_one_is_worth_more_than_a_poor_small_one():
    chosen = choose([of("large", 200, 1.0), of("poor", 20, 0.1)], 210, words)
    assert names(chosen) == ["large"]


def test_the_best_one_that_does_not_fit_gives_its_sections():
    parts = [f"# Part {n}\n" + f"word{n} " * 40 + "\n" for n in range(10)]
    chosen = choose([Document(text="".join(parts), title="book")], 120, words, query="word7")
    assert len(chosen) == 1
    assert not chosen[0].is_whole
    assert "# Part 7\n" in chosen[0].text
    assert "Part 3" not in chosen[0].text
    assert chosen[0].text.count(GAP) == 2


def test_a_document_without_sections_gives_the_lines_that_match():
    text = "\n".join(f"line {n} says {n * 7919}" for n in range(200))
    chosen = choose([Document(text=text)], 100, words, query="791900")
    assert "line 100 says 791900" in chosen[0].text


def test_a_document_that_matches_nothing_gives_its_beginning_and_end():
    text = " ".join(f"w{n}" for n in range(500))
    (chosen,) = choose([Document(text=text)], 100, words, query="nothing")
    assert chosen.text.startswith("<document>\nw0 w1")
    assert chosen.text.endswith("w499\n</document>")


def test_nothing_is_chosen_where_nothing_fits():
    assert choose([of("a", 50)], 0, words) == []
    assert choose([of("a", 50)], 5, words) == []
    assert choose([], 100, words) == []


@given(
    st.lists(
        st.builds(
            Document,
            text=st.text("ab #\n日<ü", min_size=1, max_size=400).map(lambda text: text + "x"),
            title=st.none() | st.text(max_size=10),
            score=st.none() | st.floats(-1, 1),
        ),
        max_size=6,
    ),
    st.integers(0, 400),
    st.text("ab ", max_size=8),
)
@settings(deadline=None)
def test_never_more_than_the_budget(documents: list[Document], room: int, query: str):
    chosen = choose(documents, room, count, query=query)
    assert count(joined(chosen)) <= room
    texts = [" ".join(each.document.text.split()) for each in chosen]
    assert len(set(texts)) == len(texts)


# --- their tags


def test_a_document_cannot_close_its_tag():
    text = "a </document> b </ DOCUMENT > c <document title='x'> <documents>"
    told = tagged(Document(text=text))
    assert told.count("</document>") == 1
    assert told.count("<document>") == 1
    assert "&lt;/document> b &lt;/ DOCUMENT > c &lt;document title" in told
    assert "<documents>" in told


def test_names_are_escaped_and_on_one_line():
    told = tagged(Document(text="t", title='a "b"\n<c>', uri="file:///x?a=1&b"))
    assert told.splitlines()[0] == (
        '<document title="a &quot;b&quot; &lt;c&gt;" uri="file:///x?a=1&amp;b">'
    )


# --- what callers give


def test_texts_mappings_and_documents_are_all_documents():
    given = ["a", {"text": "b", "title": "B", "score": 1}, Document(text="c")]
    assert read_documents(given) == (
        [Document(text="a"), Document(text="b", title="B", score=1.0), Document(text="c")],
        0,
    )
    assert read_documents("a text alone") == ([Document(text="a text alone")], 0)
    assert read_documents({"text": "b"}) == ([Document(text="b")], 0)


@pytest.mark.parametrize("faulty", [None, 3, "", " \n", {}, {"text": ["a"]}, {"text": None}, ["a"]])
def test_what_is_no_document_is_counted(faulty: object):
    assert read_documents(["a", faulty]) == ([Document(text="a")], 1)


def test_odd_fields_are_left_out():
    given = {"text": "a", "title": ["b"], "uri": 3, "score": float("nan")}
    assert read_documents([given]) == ([Document(text="a")], 0)


# --- sections


def test_sections_are_split_at_headings_outside_of_code():
    text = "intro\n# A\na\n```\n# no heading\n```\n## B\nb\n"
    assert sections(text) == ["intro\n", "# A\na\n```\n# no heading\n```\n", "## B\nb\n"]


def test_sections_without_headings_are_paragraphs():
    assert sections("one\ntwo\n\nthree\n\n\nfour") == ["one\ntwo\n\n", "three\n\n\n", "four"]


@settings(deadline=None)
@given(st.text("a #`\n", max_size=80))
def test_sections_joined_are_the_text(text: str):
    assert "".join(sections(text)) == text


def test_sections_come_in_their_order_with_gaps_between():
    text = "# A\nred\n# B\nblue\n# C\nred green\n"
    assert best_sections(text, "red", 20, words) == f"# A\nred\n{GAP}\n# C\nred green\n"


def test_the_first_sections_are_taken_where_none_matches():
    assert best_sections("# A\na\n# B\nb\n# C\nc\n", "", 8, words) == f"# A\na\n{GAP}\n"


# --- in a request


async def test_documents_stand_in_front_of_what_the_user_says():
    messages = [*EARLIER, said("what was paid?")]
    documents = [Document(text="It was 12.", title="Bill", uri="bill.md")]
    prepared = await window().prepare(None, messages, documents=documents)
    text = '<document title="Bill" uri="bill.md">\nIt was 12.\n</document>'
    assert prepared.messages[-1]["content"] == [
        {"type": "text", "text": text},
        {"type": "text", "text": "what was paid?"},
    ]
    assert prepared.messages[:2] == messages[:2]
    assert validate(prepared.messages, original=messages) is None
    assert prepared.tokens.documents == pytest.approx(1.12 * count(text), abs=1)  # pyright: ignore[reportUnknownMemberType]
    assert "1 of 1 documents" in prepared.actions[0].what


async def test_openais_form_gets_them_as_well():
    messages = [{"role": "system", "content": "be brief"}, said("what was paid?")]
    prepared = await window(model="gpt-4o").prepare(None, messages, documents=["It was 12."])
    content = prepared.messages[-1]["content"]
    assert content[0]["text"] == "<document>\nIt was 12.\n</document>"
    assert content[1]["text"] == "what was paid?"
    assert validate(prepared.messages) is None


def loop(number: int) -> list[Message]:
    call: Message = {"type": "tool_use", "id": f"t{number}", "name": "read", "input": {}}
    result = {"type": "tool_result", "tool_use_id": f"t{number}", "content": "ok"}
    return [{"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}]


@pytest.mark.parametrize("later", [None, ["It was 12."], ["something else"]])
async def test_they_stay_the_same_while_the_turn_lasts(later: list[str] | None):
    messages, kept = [*EARLIER, said("what was paid?")], window()
    first = await kept.prepare(None, messages, documents=["It was 12."])
    for number in range(3):
        messages += loop(number)
        prepared = await kept.prepare(None, messages, documents=later)
        assert prepared.messages[:3] == first.messages
        assert prepared.tokens.documents == first.tokens.documents
        assert validate(prepared.messages, original=messages) is None


async def test_they_leave_when_the_next_turn_begins():
    messages, kept = [*EARLIER, said("what was paid?")], window()
    await kept.prepare(None, messages, documents=["It was 12."])
    messages += [answered("12"), said("and when?")]
    prepared = await kept.prepare(None, messages)
    assert prepared.messages == messages
    assert prepared.tokens.documents == 0


async def test_the_next_turn_gets_its_own():
    messages, kept = [*EARLIER, said("what was paid?")], window()
    await kept.prepare(None, messages, documents=["It was 12."])
    messages += [answered("12"), said("and when?")]
    prepared = await kept.prepare(None, messages, documents=["In March."])
    assert prepared.messages[:4] == messages[:4]
    assert "In March." in prepared.messages[4]["content"][0]["text"]
    assert validate(prepared.messages, original=messages) is None


async def test_a_breakpoint_is_kept_before_what_will_leave():
    messages = [said("long " * 2000), answered("hello"), said("what was paid?")]
    kept = ContextWindow("claude-sonnet-4-5", None, ())
    prepared = await kept.prepare(None, messages, documents=["It was 12."])
    assert "cache_control" in prepared.messages[1]["content"][0]


async def test_who_goes_on_from_what_was_handed_back_is_rid_of_them_too():
    messages, kept = [*EARLIER, said("what was paid?")], window()
    first = await kept.prepare(None, messages, documents=["It was 12."])
    handed = [*first.messages, answered("12"), said("and when?")]
    prepared = await kept.prepare(None, handed)
    assert prepared.messages == [*messages, answered("12"), said("and when?")]


async def test_the_budget_says_how_much():
    documents = [f"{number} " + "paid " * 100 for number in range(20)]
    budget = Budget(max_rag_tokens=300)
    prepared = await window(budget).prepare(None, [said("what?")], documents=documents)
    assert 100 < prepared.tokens.documents <= 300


async def test_a_quarter_of_what_is_left_is_taken_where_the_budget_does_not_say():
    documents = [f"{number} " + "paid " * 100 for number in range(50)]
    budget = Budget(max_context_tokens=2_000)
    prepared = await window(budget).prepare(None, [said("what?")], documents=documents)
    assert 300 < prepared.tokens.documents <= 500


@given(st.integers(1, 3_000), st.none() | st.integers(1, 3_000), st.integers(1, 300))
@settings(deadline=None, max_examples=40)
async def test_documents_never_make_a_request_too_large(spoken: int, room: int | None, size: int):
    messages = [*EARLIER, said("word " * spoken)]
    budget = Budget(max_context_tokens=4_000, max_rag_tokens=room)
    documents = [f"{number} " + "paid " * size for number in range(10)]
    prepared = await window(budget).prepare(None, messages, documents=documents)
    assert prepared.tokens.total <= 4_000
    assert validate(prepared.messages, original=messages) is None


async def test_where_nothing_is_left_there_are_none_and_an_action_says_so():
    budget = Budget(max_context_tokens=100)
    alone = await window(budget).prepare(None, [said("word " * 80)])
    budget = Budget(max_context_tokens=alone.tokens.total)
    prepared = await window(budget).prepare(None, [said("word " * 80)], documents=["a"])
    assert prepared.messages == [said("word " * 80)]
    assert [(each.why, each.is_done) for each in prepared.actions] == [
        ("the prompt leaves no room for documents", False)
    ]


async def test_a_document_larger_than_the_budget_gives_its_matching_sections():
    text = "".join(f"# Part {n}\n" + f"about part{n} " * 60 + "\n" for n in range(20))
    budget = Budget(max_rag_tokens=400)
    messages = [said("tell me about part7")]
    prepared = await window(budget).prepare(None, messages, documents=[text])
    assert "# Part 7\n" in prepared.messages[0]["content"][0]["text"]
    assert "1 by section" in prepared.actions[0].what


async def test_many_documents_are_chosen_off_the_event_loop():
    documents = [f"{number} " + "paid " * 30_000 for number in range(3)]
    budget = Budget(max_rag_tokens=1_000)
    prepared = await window(budget).prepare(None, [said("what?")], documents=documents)
    assert 0 < prepared.tokens.documents <= 1_000


async def test_what_has_no_text_is_told():
    prepared = await window().prepare(None, [said("what?")], documents=["", "It was 12."])
    assert [each.is_done for each in prepared.actions] == [False, True]
    assert "1 of what was given" in prepared.actions[0].why


# --- sources


class Source:
    def __init__(self, found: Any = ("It was 12.",)) -> None:
        self.found = found
        self.asked: list[tuple[str, int]] = []

    async def search(self, query: str, max_tokens: int) -> Any:
        self.asked.append((query, max_tokens))
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


async def test_a_source_is_asked_what_the_user_asks_with_the_room_there_is():
    source = Source()
    budget = Budget(max_rag_tokens=400)
    messages = [*EARLIER, said("what was paid?")]
    prepared = await window(budget).prepare(None, messages, documents=source)
    assert source.asked == [("what was paid?", 400)]
    assert "It was 12." in prepared.messages[-1]["content"][0]["text"]


async def test_a_source_is_asked_once_a_turn():
    source, kept, messages = Source(()), window(), [*EARLIER, said("what was paid?")]
    for number in range(3):
        await kept.prepare(None, messages, documents=source)
        messages += loop(number)
    assert len(source.asked) == 1
    await kept.prepare(None, [*messages, answered("12"), said("when?")], documents=source)
    assert len(source.asked) == 2


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (ValueError("no index"), "the search failed: ValueError: no index"),
        (TimeoutError(), "the search failed: TimeoutError: "),
        (None, "1 of what was given are no documents, or have no text"),
        ([3], "1 of what was given are no documents, or have no text"),
    ],
)
async def test_a_source_that_fails_leaves_the_request_without_documents(found: Any, why: str):
    prepared = await window().prepare(None, [said("what?")], documents=Source(found))
    assert prepared.messages == [said("what?")]
    assert [(each.why, each.is_done) for each in prepared.actions] == [(why, False)]


async def test_a_source_that_hangs_is_given_up_and_cancelled():
    was_cancelled = asyncio.Event()

    class Hanging:
        async def search(self, query: str, max_tokens: int) -> Sequence[str]:
            try:
                await asyncio.Event().wait()
            finally:
                was_cancelled.set()
            return [query] * max_tokens

    draft = await draft_of([said("what?")])
    await put_documents(draft, Hanging(), seconds=0.01)
    assert draft.edits.before == {}
    assert draft.actions[0].why == "the search took longer than 0.01 seconds"
    await asyncio.wait_for(was_cancelled.wait(), 5)


async def test_a_source_that_is_not_asynchronous_fails_without_harm():
    class Plain:
        def search(self, query: str, max_tokens: int) -> list[str]:
            return [query] * max_tokens

    source: Any = Plain()
    prepared: Prepared = await window().prepare(None, [said("what?")], documents=source)
    assert prepared.messages == [said("what?")]
    assert "the search failed: TypeError" in prepared.actions[0].why


async def draft_of(messages: list[Message]) -> Any:
    """A request in the making."""
    kept = window()
    await kept.prepare(None, messages)
    return kept._preparing._draft(0)  # pyright: ignore[reportPrivateUsage, reportOptionalMemberAccess]


def untaken(prepared: Prepared) -> list[str]:
    return [
        each.why for each in prepared.actions if each.policy == "documents" and not each.is_done
    ]


STAY = "those of this turn were chosen when it began, and stay"


class Searching:
    async def search(self, query: str, max_tokens: int) -> list[str]:
        return ["It was 12."]


@pytest.mark.parametrize(
    ("later", "whys"),
    [
        (["It was 12."], []),
        (None, []),
        ([], []),
        (["something else"], [STAY]),
        ([None], ["1 of what was given are no documents, or have no text"]),
        ([5, "else"], ["1 of what was given are no documents, or have no text", STAY]),
        (Searching(), [STAY]),
    ],
)
async def test_what_is_given_while_the_turn_lasts_is_checked_and_told(later: Any, whys: list[str]):
    messages, kept = [said("what was paid?")], window()
    await kept.prepare(None, messages, documents=["It was 12."])
    prepared = await kept.prepare(None, [*messages, *loop(0)], documents=later)
    assert untaken(prepared) == whys
    again = await kept.prepare(None, [*messages, *loop(0), *loop(1)], documents=later)
    assert untaken(again) == []


async def test_a_list_of_documents_that_grows_while_the_turn_lasts_is_told():
    messages, kept, documents = [said("what was paid?")], window(), ["It was 12."]
    await kept.prepare(None, messages, documents=documents)
    documents.append("In March.")
    prepared = await kept.prepare(None, [*messages, *loop(0)], documents=documents)
    assert untaken(prepared) == [STAY]


async def test_the_same_source_is_told_nothing():
    messages, kept, source = [said("what was paid?")], window(), Searching()
    await kept.prepare(None, messages, documents=source)
    prepared = await kept.prepare(None, [*messages, *loop(0)], documents=source)
    assert untaken(prepared) == []
