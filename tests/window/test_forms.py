"""Messages in both forms: what is read of them, and what is put in their place."""

import base64
from types import MappingProxyType
from typing import Any

import pytest
from anthropic.types import Message as Response
from anthropic.types import TextBlock
from hypothesis import given, settings

from tests.window.strategies import (
    PNG,
    Message,
    anthropic_conversations,
    openai_conversations,
)
from token_tracking.window.blocks import Block
from token_tracking.window.errors import InvalidConversationError
from token_tracking.window.forms import FORMS, form_for_model, form_of
from token_tracking.window.forms.anthropic import AnthropicForm
from token_tracking.window.forms.media import image_size, image_tokens, pdf_tokens
from token_tracking.window.forms.openai import openai_image_tokens
from token_tracking.window.forms.plain import plain_message

ANTHROPIC, OPENAI = FORMS["anthropic"], FORMS["openai"]
EPHEMERAL = {"type": "ephemeral"}


def response(*content: Message) -> Response:
    return Response.model_validate(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-opus-4-6",
            "content": content,
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 1, "output_tokens": 1},
        }
    )


def one(raw: Message, role: str = "user") -> Block:
    return ANTHROPIC.blocks({"role": role, "content": [raw]}, 0)[0]


def encoded(head: bytes) -> str:
    return base64.b64encode(head).decode()


class ToolCalls:
    """An object of OpenAI's SDK, as far as this library looks at it."""

    def model_dump(self, **options: Any) -> Message:
        assert options["exclude_unset"]
        call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        return {"role": "assistant", "content": None, "refusal": None, "tool_calls": [call]}


class TestPlainMessages:
    def test_a_response_becomes_its_role_and_content(self):
        text = {"type": "text", "text": "hi", "citations": None}
        call = {"type": "tool_use", "id": "a", "name": "f", "input": {"x": None}}
        assert plain_message(response(text, call)) == {
            "role": "assistant",
            "content": [{"type": "text", "text": "hi"}, call],
        }

    def test_the_sdks_blocks_within_a_dict_become_dicts(self):
        content = response({"type": "text", "text": "hi"}).content
        message = {"role": "assistant", "content": content}
        assert plain_message(message)["content"] == [{"type": "text", "text": "hi"}]

    def test_fields_that_are_not_known_are_kept(self):
        block = TextBlock.model_validate({"type": "text", "text": "hi", "mood": {"joy": 1}})
        message = plain_message({"role": "assistant", "content": (block,), "name": "x"})
        kept = {"type": "text", "text": "hi", "mood": {"joy": 1}}
        assert message == {"role": "assistant", "content": [kept], "name": "x"}

    def test_a_message_of_openais_sdk_keeps_its_calls_and_no_empty_fields(self):
        plain = plain_message(ToolCalls())
        assert set(plain) == {"role", "content", "tool_calls"}
        assert plain["content"] is None

    def test_any_mapping_is_a_message(self):
        message = {"role": "user", "content": "hi"}
        assert plain_message(MappingProxyType(message)) == message

    def test_the_callers_containers_are_not_shared_and_its_strings_are(self):
        message = {"role": "user", "content": [{"type": "text", "text": "x" * 99}]}
        plain = plain_message(message)
        assert plain == message
        assert plain["content"] is not message["content"]
        assert plain["content"][0] is not message["content"][0]
        assert plain["content"][0]["text"] is message["content"][0]["text"]  # type: ignore[index]

    @pytest.mark.parametrize(
        ("message", "says"),
        [
            ("hi", "is a str"),
            (None, "is a NoneType"),
            (object(), "object is no JSON value"),
            (dict, "type is no JSON value"),
            ({"content": "hi"}, "has no role"),
            ({"role": 5, "content": "hi"}, "role that is a value of type int"),
            ({"role": "user", "content": 5}, "type int"),
            ({"role": "user", "content": ["hi"]}, "type str at place 0"),
            ({"role": "user", "content": [{"type": ["text"]}]}, "no type"),
            ({"role": "user", "content": [{"type": "image", "source": object()}]}, "no JSON"),
        ],
    )
    def test_what_is_no_message_is_named_with_what_to_give(self, message: object, says: str):
        with pytest.raises(InvalidConversationError, match="message 7") as raised:
            plain_message(message, 7)
        assert says in str(raised.value)
        assert "give a dict" in str(raised.value)

    def test_a_message_that_holds_itself_is_refused(self):
        message: Message = {"role": "user", "content": []}
        message["content"].append({"type": "text", "text": message})
        with pytest.raises(InvalidConversationError, match="nested too deeply"):
            plain_message(message)


class TestAnthropicBlocks:
    def test_a_string_is_one_block(self):
        (block,) = ANTHROPIC.blocks({"role": "user", "content": "hi"}, 3)
        assert block == Block(3, 0, "text", "hi", "hi")

    @pytest.mark.parametrize(
        ("raw", "kind"),
        [
            ({"type": "text", "text": "a"}, "text"),
            ({"type": "thinking", "thinking": "a"}, "thinking"),
            ({"type": "redacted_thinking", "data": "a"}, "thinking"),
            ({"type": "tool_use", "id": "a", "name": "f", "input": {}}, "tool_use"),
            ({"type": "server_tool_use", "id": "a", "name": "f", "input": {}}, "tool_use"),
            ({"type": "mcp_tool_use", "id": "a", "name": "f", "input": {}}, "tool_use"),
            ({"type": "tool_result", "tool_use_id": "a"}, "tool_result"),
            ({"type": "mcp_tool_result", "tool_use_id": "a"}, "tool_result"),
            ({"type": "bash_code_execution_tool_result", "tool_use_id": "a"}, "tool_result"),
            ({"type": "image", "source": {}}, "image"),
            ({"type": "document", "source": {}}, "document"),
            ({"type": "hologram"}, "other"),
        ],
    )
    def test_every_type_has_a_kind(self, raw: Message, kind: str):
        assert one(raw).kind == kind

    def test_a_call_counts_by_its_name_and_arguments(self):
        block = one({"type": "tool_use", "id": "a", "name": "f", "input": {"x": "ü"}}, "assistant")
        assert (block.text, block.tool_id, block.tool) == ('f\n{"x": "ü"}', "a", "f")

    def test_a_result_counts_its_texts_and_its_images_flat(self):
        parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}, image(PNG)]
        block = one({"type": "tool_result", "tool_use_id": "a", "content": parts, "is_error": True})
        assert (block.text, block.flat_tokens, block.is_error) == ("a\nb", 1, True)

    def test_a_tuple_of_parts_is_read_as_a_list(self):
        parts = ({"type": "text", "text": "a"},)
        assert one({"type": "tool_result", "tool_use_id": "a", "content": parts}).text == "a"

    def test_base64_within_text_is_text(self):
        assert one({"type": "text", "text": PNG}).text == PNG
        assert one({"type": "tool_result", "tool_use_id": "a", "content": PNG}).text == PNG

    def test_thinking_counts_without_its_signature_unless_that_is_all(self):
        sealed = "s" * 1_600
        assert one({"type": "thinking", "thinking": "a", "signature": sealed}).flat_tokens == 0
        assert one({"type": "thinking", "thinking": "", "signature": sealed}).flat_tokens == 348
        assert one({"type": "redacted_thinking", "data": sealed}).flat_tokens == 348

    def test_what_the_providers_tools_found_counts(self):
        found = {
            "type": "web_search_result",
            "title": "T",
            "url": "u",
            "encrypted_content": "e" * 16,
        }
        result = {"type": "web_search_tool_result", "tool_use_id": "a", "content": [found]}
        assert (one(result).text, one(result).flat_tokens) == ("T\nu", 3)
        ran = {"type": "code_execution_result", "stdout": "out", "stderr": "", "return_code": 0}
        assert one({"type": "code_execution_tool_result", "content": ran}).text == "out"

    def test_a_document_counts_its_text_or_its_pages(self):
        text = {"type": "text", "data": "words"}
        assert one({"type": "document", "source": text, "title": "T"}).text == "T\nwords"
        pdf = encoded(b"%PDF-1.4 /Type /Pages /Type /Page x /Type/Page ")
        source = {"type": "base64", "media_type": "application/pdf", "data": pdf}
        assert one({"type": "document", "source": source}).flat_tokens == 6_000

    def test_a_block_nobody_knows_counts_by_its_texts(self):
        assert one({"type": "hologram", "label": "abc", "in": [{"text": "d"}]}).text == "abc\nd"


def image(data: str) -> Message:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}


class TestImages:
    @pytest.mark.parametrize(
        ("head", "size"),
        [
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\4\0\0\0\3\0", (1024, 768)),
            (b"GIF89a\x00\x04\x00\x03", (1024, 768)),
            (b"RIFF\0\0\0\0WEBPVP8 " + b"\0" * 10 + b"\x00\x04\x00\x03", (1024, 768)),
            (b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\xff\xc3\xbf\x00" + b"\0" * 8, (1024, 768)),
            (b"RIFF\0\0\0\0WEBPVP8X" + b"\0" * 8 + b"\xff\x03\x00\xff\x02\x00", (1024, 768)),
            (b"\xff\xd8\xff\xe0\0\4ab\xff\xc2\0\x11\x08\x03\x00\x04\x00", (1024, 768)),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0\0\0\3\0", None),
            (b"\xff\xd8 nothing that is a frame", None),
            (b"GIF8", None),
            (b"words", None),
        ],
    )
    def test_the_size_is_read_from_the_first_bytes(self, head: bytes, size: tuple[int, int] | None):
        assert image_size(encoded(head)) == size

    def test_what_is_no_base64_has_no_size(self):
        assert image_size("abc") is None

    @pytest.mark.parametrize(
        ("wide", "high", "tokens"),
        [(1, 1, 1), (200, 200, 64), (1000, 1000, 1296), (1092, 1092, 1521)],
    )
    def test_an_image_costs_its_patches(self, wide: int, high: int, tokens: int):
        assert image_tokens(png(wide, high)) == tokens

    def test_a_large_image_and_one_of_unknown_size_cost_the_most(self):
        assert image_tokens(png(4000, 4000)) == image_tokens("?") == image_tokens(None) == 1_568

    def test_later_models_see_larger_images(self):
        sharp = AnthropicForm(high_resolution=True)
        (block,) = sharp.blocks({"role": "user", "content": [image(png(4000, 4000))]}, 0)
        assert block.flat_tokens == 4_784

    def test_openais_images_cost_their_tiles(self):
        url = "data:image/png;base64,"
        assert openai_image_tokens({"url": url + png(1024, 1024)}) == 765
        assert openai_image_tokens({"url": url + png(2048, 4096)}) == 1_105
        assert openai_image_tokens({"url": url + png(9, 9), "detail": "low"}) == 85
        assert openai_image_tokens({"url": "https://example.org/a.png"}) == 765

    def test_a_pdf_that_hides_its_pages_counts_by_its_size(self):
        assert pdf_tokens(encoded(b"%PDF-1.7" + b"\0" * 120_000)) == 9_000
        assert pdf_tokens(None) == 3_000


def png(wide: int, high: int) -> str:
    return encoded(
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + wide.to_bytes(4, "big") + high.to_bytes(4, "big")
    )


class TestTurns:
    @pytest.mark.parametrize(
        ("message", "starts"),
        [
            ({"role": "user", "content": "hi"}, True),
            ({"role": "user", "content": ""}, False),
            ({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a"}]}, False),
            ({"role": "user", "content": [{"type": "tool_result"}, {"type": "text"}]}, True),
            ({"role": "assistant", "content": "hi"}, False),
            ({"role": "system", "content": "hi"}, False),
        ],
    )
    def test_a_user_speaks_where_more_than_results_stands(self, message: Message, starts: bool):
        assert ANTHROPIC.starts_turn(message) is starts

    def test_tool_messages_start_no_turn(self):
        assert OPENAI.starts_turn({"role": "user", "content": "hi"})
        assert not OPENAI.starts_turn({"role": "tool", "content": "hi"})


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}


class TestOpenAIBlocks:
    def test_calls_stand_behind_the_content(self):
        message = {"role": "assistant", "content": "so", "tool_calls": [CALL]}
        text, call = OPENAI.blocks(message, 2)
        assert text == Block(2, 0, "text", "so", "so")
        assert call == Block(2, 1, "tool_use", CALL, 'f\n{"x": 1}', tool_id="c", tool="f")

    def test_calls_in_a_tuple_are_calls(self):
        plain = plain_message({"role": "assistant", "content": None, "tool_calls": (CALL,)})
        assert [block.kind for block in OPENAI.blocks(plain, 0)] == ["tool_use"]

    def test_a_tool_message_is_one_result(self):
        message = {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "a"}]}
        assert OPENAI.blocks(message, 0) == [Block(0, 0, "tool_result", message, "a", tool_id="c")]

    def test_other_parts_are_counted(self):
        sound = {"type": "input_audio", "input_audio": {"data": "a" * 32, "format": "wav"}}
        file = {"type": "file", "file": {"file_id": "f"}}
        parts = [sound, file, {"type": "novel", "x": "y"}, {"type": "refusal", "refusal": "no"}]
        blocks = OPENAI.blocks({"role": "user", "content": parts}, 0)
        assert [block.kind for block in blocks] == ["other", "document", "other", "text"]
        assert [block.flat_tokens for block in blocks] == [7, 3_000, 0, 0]
        assert "novel" in blocks[2].text

    def test_a_call_is_cleared_whatever_its_kind(self):
        old = {"name": "f", "arguments": "{}"}
        custom = {"id": "c", "type": "custom", "custom": {"name": "f", "input": "x"}}
        cleared = [
            OPENAI.cleared_input(Block(0, 0, "tool_use", raw), "gone")
            for raw in (CALL, custom, old)
        ]
        assert cleared[0]["function"] == {"name": "f", "arguments": '{"note": "gone"}'}
        assert cleared[1]["custom"] == {"name": "f", "input": "gone"}
        assert cleared[2] == {"name": "f", "arguments": '{"note": "gone"}'}

    def test_errors_answer_each_call_in_a_message_of_its_own(self):
        calls = [Block(0, 0, "tool_use", {}, tool_id="c"), Block(0, 1, "tool_use", {}, tool="f")]
        assert OPENAI.error_results(calls, ["no", "nor this"]) == [
            {"role": "tool", "tool_call_id": "c", "content": "no"},
            {"role": "function", "name": "f", "content": "nor this"},
        ]

    def test_there_are_no_breakpoints(self):
        message = {"role": "user", "content": "hi"}
        assert OPENAI.with_breakpoint(message, 0, "5m") is message

    def test_results_stand_in_front_of_what_follows(self):
        message, answer = {"role": "user", "content": "b"}, {"role": "tool", "content": "a"}
        assert OPENAI.joined_results(message, [answer]) == [answer, message]
        assert OPENAI.joined_results(None, [answer]) == [answer]

    def test_texts_stand_around_what_the_user_says(self):
        changed = OPENAI.with_texts({"role": "user", "content": "b"}, ["a"], ["c"])
        assert [part["text"] for part in changed["content"]] == ["a", "b", "c"]


class TestEdits:
    @settings(deadline=None, max_examples=25)
    @given(anthropic_conversations())
    def test_a_message_with_its_own_blocks_is_the_same(self, messages: list[Message]):
        for message in messages:
            raws = [block.raw for block in ANTHROPIC.blocks(message, 0)]
            assert ANTHROPIC.with_blocks(message, raws) == message

    @settings(deadline=None, max_examples=25)
    @given(openai_conversations())
    def test_an_openai_message_with_its_own_blocks_is_the_same(self, messages: list[Message]):
        for message in messages:
            raws = [block.raw for block in OPENAI.blocks(message, 0)]
            assert OPENAI.with_blocks(message, raws) == message

    def test_a_call_of_the_older_kind_is_put_back(self):
        message = {"role": "assistant", "content": None, "function_call": {"name": "f"}}
        changed = OPENAI.with_blocks(message, [{"name": "f", "arguments": "{}"}])
        assert changed["function_call"] == {"name": "f", "arguments": "{}"}

    def test_a_cleared_result_keeps_all_but_its_content(self):
        raw = {
            "type": "tool_result",
            "tool_use_id": "a",
            "is_error": True,
            "cache_control": EPHEMERAL,
            "content": "long",
        }
        assert ANTHROPIC.cleared_result(one(raw), "gone") == {**raw, "content": "gone"}
        assert raw["content"] == "long"

    def test_a_result_of_the_providers_tools_is_not_cleared(self):
        raw: Message = {"type": "web_search_tool_result", "tool_use_id": "a", "content": []}
        assert ANTHROPIC.cleared_result(one(raw), "gone") == raw

    def test_cleared_arguments_are_a_note(self):
        raw = {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}}
        assert ANTHROPIC.cleared_input(one(raw), "gone") == {**raw, "input": {"note": "gone"}}

    def test_errors_answer_calls_in_one_message(self):
        calls = [one({"type": "tool_use", "id": i, "name": "f", "input": {}}) for i in "ab"]
        (message,) = ANTHROPIC.error_results(calls, ["no", "nor this"])
        assert [block["tool_use_id"] for block in message["content"]] == ["a", "b"]
        assert all(block["is_error"] for block in message["content"])
        assert ANTHROPIC.error_results([], []) == []

    def test_added_results_stand_with_the_others_before_what_is_said(self):
        mine = {"type": "tool_result", "tool_use_id": "a", "content": "x"}
        said = {"type": "text", "text": "so"}
        added = {"type": "tool_result", "tool_use_id": "b", "content": "y"}
        result = {"role": "user", "content": [added]}
        (joined,) = ANTHROPIC.joined_results({"role": "user", "content": [mine, said]}, [result])
        assert joined["content"] == [mine, added, said]
        assert ANTHROPIC.joined_results(None, [result]) == [result]
        assert ANTHROPIC.joined_results(None, []) == []

    def test_texts_stand_behind_results_and_around_what_is_said(self):
        mine = {"type": "tool_result", "tool_use_id": "a", "content": "x"}
        message = {"role": "user", "content": [mine, {"type": "text", "text": "b"}]}
        first, *rest = ANTHROPIC.with_texts(message, ["a"], ["c"])["content"]
        assert first == mine
        assert [block["text"] for block in rest] == ["a", "b", "c"]

    def test_a_breakpoint_is_put_on_a_copy(self):
        message = {"role": "user", "content": "hi"}
        text = {"type": "text", "text": "hi"}
        for ttl, control in (("5m", EPHEMERAL), ("1h", {**EPHEMERAL, "ttl": "1h"})):
            marked = ANTHROPIC.with_breakpoint(message, 0, ttl)
            assert marked == {"role": "user", "content": [{**text, "cache_control": control}]}
        assert message == {"role": "user", "content": "hi"}

    @pytest.mark.parametrize(
        "raw",
        [
            {"type": "thinking", "thinking": "a", "signature": "s"},
            {"type": "redacted_thinking", "data": "s"},
            {"type": "text", "text": " "},
            {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        ],
    )
    def test_a_block_that_takes_no_breakpoint_or_has_one_stays(self, raw: Message):
        message = {"role": "assistant", "content": [raw]}
        assert ANTHROPIC.with_breakpoint(message, 0, "5m") is message

    def test_the_users_text_is_a_message(self):
        for form in FORMS.values():
            assert form.user_text("hi") == {"role": "user", "content": "hi"}


class TestFormOf:
    @pytest.mark.parametrize(
        ("message", "name"),
        [
            ({"role": "tool", "content": "a"}, "openai"),
            ({"role": "developer", "content": "a"}, "openai"),
            ({"role": "assistant", "tool_calls": [CALL]}, "openai"),
            ({"role": "user", "content": [{"type": "image_url"}]}, "openai"),
            ({"role": "user", "content": [{"type": "text"}, {"type": "tool_result"}]}, "anthropic"),
            (response({"type": "tool_use", "id": "a", "name": "f", "input": {}}), "anthropic"),
            ({"role": "user", "content": 5}, "anthropic"),
            ("junk", "anthropic"),
        ],
    )
    def test_one_message_tells(self, message: object, name: str):
        assert form_of([{"role": "user", "content": "hi"}, message]).name == name

    def test_a_system_message_tells_only_in_front(self):
        user, system = {"role": "user", "content": "a"}, {"role": "system", "content": "b"}
        assert form_of([system, user]).name == "openai"
        assert form_of([user, system]).name == "anthropic"
        assert form_of([]).name == "anthropic"


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("claude-opus-4-6", "anthropic"),
        ("anthropic/claude-3.5-sonnet", "anthropic"),
        ("us.anthropic.claude-opus-4-6-v1:0", "anthropic"),
        ("eu.anthropic.claude-sonnet-4-20250514-v1:0", "anthropic"),
        ("something-new", "anthropic"),
        ("solo-1", "anthropic"),
        ("gpt-5.2", "openai"),
        ("GPT-4o", "openai"),
        ("chatgpt-4o-latest", "openai"),
        ("ft:gpt-4o:acme", "openai"),
        ("openrouter/openai/o3-mini", "openai"),
        ("o1", "openai"),
        ("gemini-2.5-pro", "openai"),
        ("meta.llama3-70b-instruct-v1:0", "openai"),
        ("mistralai/Mistral-7B", "openai"),
        ("Qwen/Qwen3-32B", "openai"),
        ("deepseek-chat", "openai"),
        ("xai/grok-4", "openai"),
    ],
)
def test_a_models_name_tells_its_form(model: str, name: str):
    assert form_for_model(model).name == name


def test_a_breakpoint_within_a_result_is_the_results_own_when_it_is_cleared():
    parts = [
        {"type": "text", "text": "one", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "text", "text": "two", "cache_control": EPHEMERAL},
        {"type": "text", "text": "three"},
    ]
    raw: Message = {"type": "tool_result", "tool_use_id": "a", "content": parts}
    cleared = ANTHROPIC.cleared_result(one(raw), "gone")
    assert cleared == {**raw, "content": "gone", "cache_control": EPHEMERAL}


def test_a_results_own_breakpoint_goes_before_those_within():
    hour = {"type": "ephemeral", "ttl": "1h"}
    parts = [{"type": "text", "text": "one", "cache_control": hour}]
    raw: Message = {
        "type": "tool_result",
        "tool_use_id": "a",
        "content": parts,
        "cache_control": EPHEMERAL,
    }
    assert ANTHROPIC.cleared_result(one(raw), "gone") == {**raw, "content": "gone"}
