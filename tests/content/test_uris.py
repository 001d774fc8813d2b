"""Addresses of content."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from token_tracking_server.content.errors import BadContentUriError
from token_tracking_server.content.uris import Address, parse_uri

PART = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\\/"), min_size=1)
NAME = PART.filter(lambda text: text not in {".", ".."} and len(text) < 60)


@given(NAME, st.lists(NAME, min_size=1, max_size=4), st.just("") | NAME)
def test_a_uri_names_what_it_was_made_of(category: str, parts: list[str], anchor: str) -> None:
    address = Address(category, "/".join(parts), anchor)
    assert parse_uri(address.uri) == address
    assert parse_uri(address.ascii_uri) == address
    assert address.ascii_uri.isascii()
    assert " " not in address.uri


def test_letters_of_every_script_stay_as_they_are() -> None:
    address = Address("ru", "день/a b", "ключ")
    assert address.uri == "content://ru/день/a%20b#ключ"
    assert address.ascii_uri.startswith("content://ru/%D0%B4")
    assert parse_uri(f" <{address.uri}/> ") == address._replace(anchor="ключ")


def test_what_is_not_encoded_is_understood_as_well() -> None:
    assert parse_uri("content://my guides/100%/день 😀") == Address("my guides", "100%/день 😀")
    assert parse_uri("CONTENT://a/b#c") == Address("a", "b", "c")
    assert parse_uri("content://guides") == Address("guides")


@pytest.mark.parametrize(
    "uri",
    [
        "content://guides/../secret",
        "content://guides/a/../../secret",
        "content://guides/%2e%2e/secret",
        "content://guides/..%2Fsecret",
        "content://guides/%2e%2e%2fsecret",
        "content://guides/..\\secret",
        "content://guides/..%5Csecret",
        "content://../x",
        "content://%2e%2e/x",
        "content://./x",
        "content://guides/./x",
        "content://guides/a%00b",
    ],
)
def test_a_path_is_refused_in_every_spelling(uri: str) -> None:
    with pytest.raises(BadContentUriError, match="is a path"):
        parse_uri(uri)


@pytest.mark.parametrize(
    "uri",
    ["", "/etc/passwd", "file:///etc/passwd", "http://x/y", "content:guides", "../x", "guides/x"],
)
def test_a_foreign_uri_is_refused(uri: str) -> None:
    with pytest.raises(BadContentUriError, match="search_content finds them"):
        parse_uri(uri)


@pytest.mark.parametrize(
    "uri", ["content://", "content:///x", "content://#a", "content://a/%ff", "content://a/\ud800"]
)
def test_a_uri_that_is_broken_says_how(uri: str) -> None:
    with pytest.raises(BadContentUriError):
        parse_uri(uri)


def test_a_long_text_is_refused_and_not_repeated() -> None:
    with pytest.raises(BadContentUriError) as refused:
        parse_uri("content://a/" + "b" * 100_000)
    assert len(str(refused.value)) < 400
