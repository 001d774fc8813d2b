"""The figures of retrieval are what they are said to be."""

import json
from pathlib import Path

import pytest

from benchmarks import retrieval
from benchmarks.retrieval_sets import QUESTIONS, SHIPPED, Query, folder_set, sections_set


def test_recall_is_the_share_of_the_correct_ones_among_the_first() -> None:
    queries = [Query("a", frozenset({"x", "y"})), Query("b", frozenset({"z"}))]
    found = {"a": ["x", "n", "n", "n", "y"], "b": ["n", "z"]}
    assert retrieval.evaluate(found.__getitem__, queries) == {
        "recall@1": 0.25,
        "recall@3": 0.75,
        "recall@5": 1.0,
        "recall@10": 1.0,
        "MRR@10": 0.75,
    }


def test_the_shipped_library_answers_its_questions() -> None:
    shipped = folder_set(SHIPPED, None)
    assert {answer for query in shipped.queries for answer in query.answers} <= {*shipped.documents}
    found = retrieval.compare(shipped)["figures"]["ours"]["all"]
    assert found["recall@3"] >= 0.85
    assert len(QUESTIONS) == len(shipped.queries)


def test_sections_of_a_site_are_documents(tmp_path: Path) -> None:
    link = "https://docs.example.com/en/docs/caching#break-even"
    section = {"chunk_link": link, "chunk_heading": "Break-even", "text": "Break-even\n\nIt pays."}
    asked = {"question": "does it pay", "correct_chunks": [link]}
    docs, queries = tmp_path / "docs.json", tmp_path / "queries.json"
    docs.write_text(json.dumps([section]))
    queries.write_text(json.dumps([asked]))
    document = sections_set(docs, queries).documents[link]
    assert (document.category, document.document_id) == ("docs", "caching/break-even")
    assert document.text == "# Break-even\n\nIt pays.\n"
    bare = sections_set(docs, queries, paths=False).documents[link]
    assert (bare.category, bare.document_id) == ("docs", "break-even")


def test_an_answer_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "queries.json").write_text('[{"query": "a", "answers": ["content://a/b.md#c"]}]')
    with pytest.raises(ValueError, match=r"not in .*: a/b"):
        folder_set(tmp_path, tmp_path / "queries.json")


@pytest.mark.parametrize("arguments", [["--docs", "d"], ["--queries", "q"], ["--library", "l"]])
def test_half_a_set_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        retrieval.main(arguments)
    assert "missing" in capsys.readouterr().err


def test_the_page_has_every_ranker(capsys: pytest.CaptureFixture[str]) -> None:
    assert retrieval.main(["--unrelated"]) == 0
    printed = capsys.readouterr().out
    for expected in ("FTS5, title x3", "two lists fused", "ours", "MRR@10", "unrelated questions"):
        assert expected in printed
