"""What holds for any text, any question and any order of changes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.content.searching import LIBRARY, Searched, indexed

WORDS = st.sampled_from(
    ["cache", "caching", "limits", "token", "the", "how", "缓存", "пример", "countTokens", "# x\n"]
)
ANY = st.text(st.characters(), max_size=80)
SENTENCES = st.lists(WORDS, max_size=8).map(" ".join)
TEXTS = st.one_of(ANY, SENTENCES, st.builds("# {}\n\n{}".format, SENTENCES, ANY))


@settings(deadline=None)
@given(st.lists(TEXTS, max_size=4), TEXTS, st.one_of(st.none(), ANY), st.integers(1, 3))
def test_any_text_is_indexed_and_any_question_answered(
    texts: list[str], query: str, category: str | None, limit: int
) -> None:
    library = Searched()
    for number, text in enumerate(texts):
        library.add(f"{category or 'c'}/{text[:10]}{number}", text)
    hits = library.hits(query, category, limit)
    numbers = [hit.number for hit in hits]
    assert len(set(numbers)) == len(numbers) <= limit
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    for hit in hits:
        uri = library.uris[hit.number - 1]
        assert hit.section >= 0
        assert category is None or uri.startswith(f"{category}/")
    for number in range(len(library.uris)):
        library.index.remove(number + 1)
    assert library.hits(query) == []
    assert library.connection.execute("SELECT count(*) FROM search_terms").fetchone() == (0,)


@settings(deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4), SENTENCES)
def test_documents_that_came_and_went_leave_no_trace(
    texts: list[tuple[str, str]], query: str
) -> None:
    fresh, used = Searched(), Searched()
    for number, (text, other) in enumerate(texts):
        fresh.add(f"a/{number}", text)
        added = used.add(f"a/{number}", other)
        used.hits(query)
        used.index.remove(added)
        used.hits(query)
        used.index.add(added, indexed(f"a/{number}", text))
    used.index.remove(2)
    used.hits(query)
    used.index.add(2, indexed("guides/rate-limits", LIBRARY["guides/rate-limits"]))
    assert used.hits(query) == fresh.hits(query)
