"""Front matter: what is read of it, and what is not let in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from token_tracking_server.content.front_matter import read_front_matter


def test_fields_are_texts_and_lists() -> None:
    front = read_front_matter("---\ntitle: 1.0\nyes: no\ntags:\n- a\n- b c\n---\nbody")
    assert dict(front.fields) == {"title": "1.0", "yes": "no", "tags": ["a", "b c"]}
    assert front.words("tags") == ("a", "b c")
    assert read_front_matter("---\ntags: a, b,,a\n---\n").words("tags") == ("a", "b")


@pytest.mark.parametrize(
    "text", ["", "---", "---\n", "# x\n---\na: b\n---\n", "---\na: b\n", "--- x"]
)
def test_a_text_without_a_block_has_none(text: str) -> None:
    assert read_front_matter(text).length == 0


def test_text_between_two_rules_is_no_front_matter() -> None:
    assert read_front_matter("---\njust text\n---\nmore").length == 0


def test_what_is_no_yaml_is_read_line_by_line_and_said() -> None:
    front = read_front_matter("---\nname: reviewer\ndescription: Use it when: always\n---\nbody")
    assert dict(front.fields) == {"name": "reviewer", "description": "Use it when: always"}
    assert front.problem == "front matter: line 3: mapping values are not allowed in this context"


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)
)


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        (BOMB, "aliases"),
        ("a: " + "[" * 3_000, "nested too deep"),
        ("a: " + "{b: " * 300, "nested too deep"),
        ("a: !!python/object/apply:os.system [id]\nb: 1", ""),
        ("a: \x00", "unacceptable character"),
        ("? [a, b]\n: c", "unhashable"),
    ],
)
def test_hostile_yaml_makes_nothing_but_texts(block: str, problem: str) -> None:
    front = read_front_matter(f"---\n{block}\n---\nbody")
    assert problem in (front.problem or "")
    assert front.length


def test_a_block_that_is_huge_is_text() -> None:
    assert read_front_matter("---\n" + "a: b\n" * 50_000 + "---\n").length == 0


@given(st.text(max_size=300))
def test_no_text_raises(text: str) -> None:
    front = read_front_matter(f"---\n{text}\n---\nbody")
    front.text("title")
    front.words("tags")
