"""Search finds what answers, names why, and finds nothing where nothing does."""

import sqlite3

import pytest

from tests.content.searching import LIBRARY, Searched, indexed
from token_tracking_server.content.search import SearchIndex


@pytest.fixture(scope="module")
def library() -> Searched:
    return Searched()


@pytest.mark.parametrize(
    ("query", "uri"),
    [
        ("when does a cache write pay off?", "guides/caching"),
        ("what to do when requests are refused", "guides/rate-limits"),
        ("review my pull request", "agents/reviewer"),
        ("quality", "agents/reviewer"),
        ("is there a way back from a migration", "agents/migrations"),
        ("extract tables from a form", "skills/pdf/SKILL"),
        ("count tokens", "skills/pdf/SKILL"),
        ("countTokens", "skills/pdf/SKILL"),
        ("extract_tables", "skills/pdf/SKILL"),
        ("rate-limits", "guides/rate-limits"),
        ("CACHING", "guides/caching"),
    ],
)
def test_the_document_that_answers_is_first(library: Searched, query: str, uri: str) -> None:
    assert library.found(query)[0] == uri


@pytest.mark.parametrize(
    ("query", "section"),
    [("break-even", 1), ("prefix gone after minutes of silence", 2), ("prompt caching", 0)],
)
def test_the_best_section_is_named(library: Searched, query: str, section: int) -> None:
    hit = library.hits(query)[0]
    assert (library.uris[hit.number - 1], hit.section) == ("guides/caching", section)


def test_a_section_is_found_by_the_heading_above_it() -> None:
    library = Searched(
        {"a/b": "# Linux\n\n## Install\n\nUse apt.\n\n# Windows\n\n## Install\n\nUse winget.\n"}
    )
    assert library.hits("install windows")[0].section == 3


def test_the_words_that_matched_are_in_the_users_spelling(library: Searched) -> None:
    hit = library.hits("Does Caching of giraffes PAY OFF? caching")[0]
    assert hit.matched == ("Caching", "PAY")


@pytest.mark.parametrize(
    "misspelt", ["migrtaions", "databse", "migratons", "migrations", "mirgation", "colunm"]
)
def test_a_misspelt_word_is_found_by_its_likely_spelling(library: Searched, misspelt: str) -> None:
    assert library.found(misspelt) == ["agents/migrations"]
    assert library.hits(misspelt)[0].matched == (misspelt,)


def test_a_category_is_searched_alone(library: Searched) -> None:
    assert library.found("read the request", "agents") == ["agents/reviewer"]
    assert library.found("read the request", "skills") == []
    assert library.found("read the request", "nowhere") == []
    assert library.found("read the request", "agents\udcff") == []


def test_no_more_than_the_limit_are_found(library: Searched) -> None:
    assert library.found("request", limit=1) == library.found("request")[:1]


def test_equal_documents_come_in_the_order_of_their_numbers() -> None:
    library = Searched({f"a/{name}": "# Same\n\nThe very same text." for name in "zyx"})
    hits = library.hits("same text")
    assert [hit.number for hit in hits] == [1, 2, 3]
    assert len({hit.score for hit in hits}) == 1


@pytest.mark.parametrize(
    "query",
    [
        "how long should a chocolate cake with almond flour bake",
        "capital of Mongolia",
        "swallows returning from Africa in a warm spring, what do they read in the sky",
        "how to",
        "",
        "   ",
    ],
)
def test_nothing_is_found_where_nothing_answers(library: Searched, query: str) -> None:
    assert library.found(query) == []


def test_a_rare_word_is_found_where_it_is_mentioned_once_in_a_long_text() -> None:
    text = "# Long\n\n" + "Many words about nothing. " * 4_000 + "Xylophone."
    assert Searched({**LIBRARY, "a/long": text}).found("xylophone") == ["a/long"]


def test_a_title_of_stop_words_is_found_by_them() -> None:
    library = Searched({**LIBRARY, "guides/what-if": "# What if\n\nScenarios.\n"})
    assert library.found("what if") == ["guides/what-if"]


@pytest.mark.parametrize(
    "query",
    [
        '"',
        '"caching',
        "NEAR(a b)",
        "title: caching",
        "cach*",
        "-caching",
        "^caching",
        "caching AND NOT OR limits",
        "a\0b",
        "\ud800 caching",
        "①②⓪",
        "'); DROP TABLE search_documents; --",
        "{}[]()+:%_\\",
        "😀",
        "caching " * 12_500,
        " ".join(f"word{number}" for number in range(10_000)),
        "x" * 100_000,
        "文" * 100_000,
    ],
)
def test_no_query_does_harm(library: Searched, query: str) -> None:
    library.hits(query)
    assert library.found("prompt caching")[0] == "guides/caching"


def test_a_word_at_the_end_of_a_long_query_counts(library: Searched) -> None:
    assert library.found("lorem ipsum " * 8_000 + "\nmigrations rollback column release") == [
        "agents/migrations"
    ]


def test_an_empty_library_has_nothing() -> None:
    assert Searched({}).found("caching") == []


def test_a_document_that_is_removed_is_not_found() -> None:
    library = Searched()
    library.index.remove(1)
    assert "guides/caching" not in library.found("prompt caching")
    library.index.remove(1)


def test_a_changed_document_is_found_by_what_it_says_now() -> None:
    library = Searched()
    library.index.remove(1)
    library.index.add(1, indexed("guides/caching", "# Giraffes\n\nTheir necks are long.\n"))
    assert library.found("giraffes") == ["guides/caching"]
    assert library.found("break-even of a cached prefix") == []


def test_a_number_is_taken_once() -> None:
    library = Searched()
    with pytest.raises(sqlite3.IntegrityError):
        library.index.add(1, indexed("a/b", "text"))


def test_what_another_connection_adds_is_found(tmp_path: object) -> None:
    path = f"file:{tmp_path}/catalog.db"
    with sqlite3.connect(path, uri=True, isolation_level=None) as writing:
        writer = SearchIndex(writing)
        writer.create()
        with sqlite3.connect(f"{path}?mode=ro", uri=True) as reading:
            reader = SearchIndex(reading)
            assert reader.search("caching") == []
            writer.add(7, indexed("guides/caching", LIBRARY["guides/caching"]))
            assert [hit.number for hit in reader.search("caching")] == [7]
            writer.remove(7)
            assert reader.search("caching") == []
        reading.close()
    writing.close()


def test_what_is_taken_back_is_not_found() -> None:
    library = Searched()
    library.connection.execute("BEGIN")
    library.add("a/giraffes", "# Giraffes\n\nTheir necks are long.\n")
    assert library.found("giraffes") == ["a/giraffes"]
    library.connection.execute("ROLLBACK")
    assert library.found("giraffes") == []


def test_a_large_library_is_not_read_to_its_last_mention() -> None:
    mentions = {f"a/{number}": f"# Note {number}\n\nabout caching\n" for number in range(4_500)}
    library = Searched({**mentions, **LIBRARY})
    assert library.found("prompt caching break-even")[0] == "guides/caching"
    assert library.found("caching", "guides") == ["guides/caching"]
