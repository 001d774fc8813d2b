"""The index of a conversation: what is kept, what is read anew, and where turns start."""

import copy
import json
from typing import Any

import pytest
from anthropic.types import Message as Response
from anthropic.types import TextBlock, ToolUseBlock
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.window.strategies import Message, anthropic_conversations, openai_conversations
from token_tracking.window.conversation import Change, Conversation
from token_tracking.window.errors import InvalidConversationError
from token_tracking.window.forms import FORMS, form_of

conversations = st.one_of(anthropic_conversations(), openai_conversations())


def known(messages: list[Any], form: str | None = None) -> Conversation:
    conversation = Conversation(FORMS[form] if form else form_of(messages))
    conversation.update(messages)
    return conversation


def state(conversation: Conversation) -> Any:
    turns = range(len(conversation.turns))
    rounds = [conversation.rounds(turn) for turn in turns]
    return conversation.messages, conversation.blocks, conversation.first, rounds


def said(text: str, role: str = "user") -> Message:
    return {"role": role, "content": text}


def called(*ids: str) -> Message:
    calls: list[Message] = [
        {"type": "tool_use", "id": i, "name": f"tool_{i}", "input": {}} for i in ids
    ]
    return {"role": "assistant", "content": calls}


def answered(*ids: str, text: str | None = None) -> Message:
    results = [{"type": "tool_result", "tool_use_id": i, "content": "done"} for i in ids]
    return {
        "role": "user",
        "content": [*results, *([{"type": "text", "text": text}] if text else [])],
    }


class TestUpdates:
    @settings(deadline=None, max_examples=25)
    @given(conversations, st.data())
    def test_growing_and_rewinding_end_as_reading_at_once(
        self, messages: list[Message], data: st.DataObject
    ):
        conversation = Conversation(form_of(messages))
        for end in data.draw(st.lists(st.integers(0, len(messages)), max_size=4)):
            before = len(conversation.messages)
            change = conversation.update(messages[:end])
            assert change == Change(min(before, end), max(0, before - end), max(0, end - before))
        conversation.update(messages)
        assert state(conversation) == state(known(messages))

    @settings(deadline=None, max_examples=25)
    @given(conversations, st.data())
    def test_a_change_behind_our_back_is_seen(self, messages: list[Message], data: st.DataObject):
        conversation = known(messages)
        number = data.draw(st.integers(0, len(messages) - 1))
        messages[number]["content"] = "something else"
        change = conversation.update(messages)
        rest = len(messages) - number
        assert change == Change(number, rest, rest)
        assert state(conversation) == state(known(messages, conversation.form.name))

    def test_a_change_deep_within_is_seen(self):
        messages = [said("hi"), called("a"), answered("a")]
        conversation = known(messages)
        messages[1]["content"][0]["input"]["path"] = "x"
        assert conversation.update(messages) == Change(1, 2, 2)

    @settings(deadline=None, max_examples=25)
    @given(conversations)
    def test_messages_that_say_the_same_are_unchanged(self, messages: list[Message]):
        conversation = known(messages)
        again = json.loads(json.dumps(messages))
        assert conversation.update([*again, said("on")]) == Change(len(messages), 0, 1)

    def test_what_is_kept_is_not_read_again(self):
        messages = [said("hi"), called("a"), answered("a")]
        conversation = known(messages)
        blocks = list(conversation.blocks)
        conversation.update([*messages, said("on")])
        assert all(old is new for old, new in zip(blocks, conversation.blocks, strict=False))

    def test_an_error_changes_nothing(self):
        messages = [said("hi"), said("ho", "assistant")]
        conversation = known(messages)
        before = copy.deepcopy(state(conversation))
        with pytest.raises(InvalidConversationError, match="message 1 is a "):
            conversation.update([said("hi"), None])
        assert state(conversation) == before

    @pytest.mark.parametrize("messages", ["hi", 5, None, iter([])])
    def test_what_is_no_list_is_refused(self, messages: Any):
        with pytest.raises(InvalidConversationError, match="in a list"):
            Conversation(FORMS["anthropic"]).update(messages)

    def test_no_messages_are_an_empty_conversation(self):
        conversation = known([])
        assert (conversation.messages, conversation.first, conversation.turns) == ([], [0], [])


class TestObjectsOfTheSdk:
    def messages(self) -> tuple[list[Any], ToolUseBlock]:
        call = ToolUseBlock(type="tool_use", id="a", name="f", input={"x": [1]})
        content = [TextBlock(type="text", text="so", citations=None), call]
        return [said("hi"), {"role": "assistant", "content": content}, answered("a")], call

    def test_they_are_kept_while_they_do_not_change(self):
        messages, _ = self.messages()
        conversation = known(messages)
        assert conversation.update([*messages, said("on")]) == Change(3, 0, 1)
        assert conversation.messages[1]["content"][0] == {"type": "text", "text": "so"}

    def test_a_change_of_theirs_is_seen(self):
        messages, call = self.messages()
        conversation = known(messages)
        call.input["x"].append(2)  # type: ignore[union-attr]
        assert conversation.update(messages) == Change(1, 2, 2)
        assert conversation.messages[1]["content"][1]["input"] == {"x": [1, 2]}

    def test_a_whole_response_is_a_message(self):
        block = TextBlock(type="text", text="so", citations=None)
        response = Response.model_construct(type="message", role="assistant", content=[block])
        conversation = known([said("hi"), response])
        assert conversation.update([said("hi"), response, said("on")]) == Change(2, 0, 1)
        block.text = "not so"
        assert conversation.update([said("hi"), response, said("on")]) == Change(1, 2, 2)
        assert conversation.messages[1]["content"] == [{"type": "text", "text": "not so"}]

    def test_other_objects_that_say_the_same_are_unchanged(self):
        messages, _ = self.messages()
        conversation = known(messages)
        for _ in range(2):
            assert conversation.update(copy.deepcopy(messages)) == Change(3, 0, 0)


class TestCallersWhoGoOnFromWhatTheyGotBack:
    def conversation(self) -> tuple[Conversation, list[Message], list[Message]]:
        messages = [said("hi"), called("a"), answered("a"), said("two"), said("ok", "assistant")]
        sent = copy.deepcopy(messages)
        sent[2]["content"][0]["content"] = "[cleared]"
        return known(messages), messages, sent

    def test_edited_messages_count_as_unchanged_and_the_original_stays(self):
        conversation, messages, sent = self.conversation()
        assert conversation.update([*sent, said("on")], also=sent) == Change(5, 0, 1)
        assert conversation.messages[:5] == messages

    def test_a_mixture_of_both_counts_as_unchanged(self):
        conversation, messages, sent = self.conversation()
        assert conversation.update([*messages[:2], *sent[2:]], also=sent) == Change(5, 0, 0)

    def test_dropped_messages_stay_as_well(self):
        conversation, messages, sent = self.conversation()
        assert conversation.update([*sent[3:], said("on")], also=sent[3:]) == Change(5, 0, 1)
        assert conversation.messages == [*messages, said("on")]

    def test_a_change_is_seen_all_the_same(self):
        conversation, _, sent = self.conversation()
        assert conversation.update([*sent[:4], said("no")], also=sent) == Change(4, 1, 1)
        assert conversation.update([said("new")], also=sent[3:]) == Change(0, 5, 1)


class TestTurns:
    def test_users_messages_in_a_row_are_one_turn(self):
        messages = [said("a"), said("b"), said("c", "assistant"), said("d"), said("e")]
        assert known(messages).turns == [0, 3]

    def test_a_system_message_in_front_belongs_to_the_first_turn(self):
        messages = [said("s", "system"), said("a"), said("b", "assistant"), said("c")]
        conversation = known(messages)
        assert conversation.turns == [0, 3]
        assert conversation.rounds(0) == [range(2), range(2, 3)]

    def test_a_message_with_results_starts_no_turn_though_the_user_speaks(self):
        messages = [said("a"), called("x"), answered("x", text="hurry"), said("b", "assistant")]
        assert known(messages).turns == [0]

    def test_a_user_who_speaks_behind_results_starts_a_turn(self):
        assert known([said("a"), called("x"), answered("x"), said("stop")]).turns == [0, 3]

    def test_the_first_message_starts_a_turn_whatever_it_is(self):
        assert known([said("a", "assistant"), said("b")]).turns == [0, 1]

    def test_a_round_is_an_answer_with_its_results(self):
        messages = [said("a"), called("x", "y"), answered("x", "y"), called("z"), answered("z")]
        conversation = known([*messages, said("b", "assistant"), said("c")])
        assert conversation.rounds(0) == [range(1), range(1, 3), range(3, 5), range(5, 6)]
        assert conversation.turn(0) == range(6)
        assert conversation.rounds(-1) == [range(6, 7)]

    @settings(deadline=None, max_examples=25)
    @given(conversations)
    def test_turns_and_rounds_cover_the_conversation(self, messages: list[Message]):
        conversation = known(messages)
        covered = [
            number
            for turn in range(len(conversation.turns))
            for each in conversation.rounds(turn)
            for number in each
        ]
        assert covered == list(range(len(messages)))


class TestBlocks:
    @settings(deadline=None, max_examples=25)
    @given(conversations)
    def test_every_block_stands_where_it_says(self, messages: list[Message]):
        conversation = known(messages)
        for number in range(len(messages)):
            blocks = conversation.blocks_of(number)
            assert [(block.message, block.index) for block in blocks] == [
                (number, index) for index in range(len(blocks))
            ]
        assert conversation.first[-1] == len(conversation.blocks)

    def test_a_result_has_the_name_of_its_tool(self):
        conversation = known([said("a"), called("x"), answered("x")])
        assert conversation.blocks[-1].tool == "tool_x"

    def test_a_name_goes_with_its_call(self):
        conversation = known([said("a"), called("x"), answered("x")])
        conversation.update([said("a"), answered("x")])
        assert conversation.blocks[-1].tool is None


def test_half_an_emoji_is_text_like_any_other() -> None:
    conversation = Conversation(FORMS["anthropic"])
    conversation.update([{"role": "user", "content": "cut \ud83d"}])
    conversation.update([{"role": "user", "content": "cut \ud83d"}])
    assert len(conversation.messages) == 1
