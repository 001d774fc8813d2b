"""Sections of Markdown: their bounds, anchors, and parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from token_tracking_server.content.documents import parse_document
from token_tracking_server.content.sections import (
    LONGEST_PIECE,
    first_paragraph,
    slug,
    split_sections,
)

LINES = st.sampled_from(
    [
        "",
        "# One",
        "## Two `code` and *more*",
        "### Three ###",
        "####### seven",
        "#no",
        "   # indented",
        "    # code",
        "text",
        "text with [a link](http://x#y)",
        "===",
        "---",
        "- item",
        "> quote",
        "```",
        "~~~",
        "```python",
        "# in code?",
        "<!-- # comment",
        "-->",
        "1. one",
        "| a | b |",
        "***",
    ]
)


@given(st.lists(LINES, max_size=14).map("\n".join) | st.text(max_size=400))
def test_the_sections_own_texts_are_the_text(text: str) -> None:
    sections = split_sections(text)
    assert "".join(text[each.start : each.own_end] for each in sections) == text
    assert len({each.anchor for each in sections}) == len(sections)
    for each in sections:
        assert each.start <= each.own_end <= each.end <= len(text)


PLAIN = st.sampled_from(
    ["", "# One", "## Two", "### Three ##", "text", "more text", "===", "```", "~~~", "    # code"]
)


@given(st.lists(PLAIN, max_size=14))
def test_headings_are_those_that_a_markdown_parser_sees(lines: list[str]) -> None:
    text = "\n".join(lines)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    tokens = MarkdownIt().parse(text)
    expected = [
        (starts[token.map[0]], int(token.tag[1]))
        for token in tokens
        if token.type == "heading_open" and token.map and token.level == 0
    ]
    found = [(each.start, each.level) for each in split_sections(text) if each.is_heading]
    # A first heading takes the empty lines in front of it.
    if found and expected and not text[: expected[0][0]].strip():
        expected[0] = (0, expected[0][1])
    assert found == expected


def test_a_section_ends_where_the_next_of_its_level_begins() -> None:
    text = "intro\n\n# A\na\n## B\nb\n### C\nc\n## D\nd\n# E\ne\n"
    found = {each.anchor: text[each.start : each.end] for each in split_sections(text)}
    assert found == {
        "top": "intro\n\n",
        "a": "# A\na\n## B\nb\n### C\nc\n## D\nd\n",
        "b": "## B\nb\n### C\nc\n",
        "c": "### C\nc\n",
        "d": "## D\nd\n",
        "e": "# E\ne\n",
    }


def test_a_section_knows_the_headings_above_it() -> None:
    sections = split_sections("# A\n## B\n### C\n## D\n")
    assert [each.trail for each in sections] == [(), ("A",), ("A", "B"), ("A",)]


@pytest.mark.parametrize(
    ("title", "anchor"),
    [
        ("Break-even", "break-even"),
        ("What's `new` in 2.0?", "whats-new-in-20"),
        ("[Link](http://x) & more", "link--more"),
        ("Как считать токены", "как-считать-токены"),
        ("缓存 的 价格", "缓存-的-价格"),
        ("snake_case stays", "snake_case-stays"),
        ("!!!", "section"),
    ],
)
def test_anchors_are_those_of_github(title: str, anchor: str) -> None:
    assert slug(title) == anchor


def test_an_anchor_that_is_taken_gets_a_number() -> None:
    sections = split_sections("# A\n# A\n# A-1\n# A\n")
    assert [each.anchor for each in sections] == ["a", "a-1", "a-1-1", "a-2"]


@pytest.mark.parametrize(
    "text", ["word " * 5_000, "x" * 20_000, "line\n" * 4_000, "段落。" * 5_000]
)
def test_what_is_long_is_cut_into_parts(text: str) -> None:
    sections = split_sections(f"# Long\n{text}")
    assert [each.anchor for each in sections[:3]] == ["long", "long-part-2", "long-part-3"]
    assert all(each.own_end - each.start <= LONGEST_PIECE for each in sections)
    assert (sections[0].start, sections[0].end) == (0, len(text) + 7)
    assert sections[1].trail == ("Long",)


def test_parts_end_after_a_paragraph_where_there_is_one() -> None:
    text = ("sentence. " * 20 + "\n\n") * 60
    sections = split_sections(text)
    assert [each.anchor for each in sections] == ["top", "top-part-2", "top-part-3"]
    assert all(text[each.start : each.own_end].endswith("\n\n") for each in sections)


def test_a_hundred_thousand_headings_are_no_trouble() -> None:
    text = "# h\n" * 50_000 + "## h\n" * 50_000
    assert len(split_sections(text)) == 100_000


def test_the_first_paragraph_is_prose() -> None:
    text = "<!-- note -->\n# Title\n\n- list\n\n```\ncode\n```\n\nThis *is* it,\nin two lines.\n\nM"
    assert first_paragraph(text, 100) == "This is it, in two lines."
    assert first_paragraph(text, 14) == "This is it,…"
    assert first_paragraph("# Only a title\n", 100) == ""


def test_title_description_and_tags_come_from_the_front_matter_or_the_text() -> None:
    told = parse_document(
        "guides", "a/b", "---\ntitle: T\ndescription: >\n  D\n  d\ntags: [x, y]\n---\n# H\ntext\n"
    )
    assert (told.title, told.description, told.tags) == ("T", "D d", ("x", "y"))
    assert told.text == "# H\ntext\n"
    found = parse_document("guides", "a/b", "# H\n\ntext\n")
    assert (found.title, found.description, found.tags) == ("H", "text", ())
    assert parse_document("guides", "a/b", "").title == "b"


@pytest.mark.parametrize(
    "text",
    [
        "# " + "[" * 300_000,
        "# a" + "_" * 300_000 + "b",
        "# a" + " " * 300_000 + "#x",
        "# " + "<" * 300_000,
        "- a\n" + "---\n" * 10_000,
        "| a | b |\n-----------\n" * 5_000,
        "[" * 20_000,
        "<!--" * 100_000,
        "a\n-\n" * 20_000,
    ],
)
def test_a_text_made_to_be_slow_is_not(text: str) -> None:
    """Each took minutes, or for ever, where a pattern looked at a line again and again."""
    assert "".join(text[each.start : each.own_end] for each in split_sections(text)) == text
    first_paragraph(text, 100)


def test_titles_and_anchors_have_a_length() -> None:
    (section,) = split_sections(f"# {'word ' * 1_000}")
    assert len(section.title) <= 400
    assert len(section.anchor) <= 100


def test_what_a_terminal_or_a_model_could_take_for_more_is_left_out() -> None:
    (section,) = split_sections("# A \x1b[31m\u202e | 1 tokens | b\n")
    assert section.title == "A [31m / 1 tokens / b"
