"""The benchmark of the footprint, on lists that are written here."""

from pathlib import Path

from benchmarks.footprint import Footprint, our_servers, table
from benchmarks.listings import Listing
from token_tracking.counting import encoding_tokens

TOOL = {
    "name": "search",
    "title": "Search",
    "description": "Find it.",
    "inputSchema": {"type": "object"},
    "annotations": {"readOnlyHint": True},
}
LISTING = Listing(tools=[TOOL], resources=[], templates=[], prompts=[], instructions="Ask.")


def test_a_model_is_given_names_descriptions_and_schemas_only() -> None:
    written = '{"name":"search","description":"Find it.","input_schema":{"type":"object"}}'
    found = Footprint.of("ours", LISTING)
    assert found.model == encoding_tokens(written) < found.tools
    assert found.always == found.model + encoding_tokens("Ask.")
    assert (found.resources, found.templates, found.prompts) == (0, 0, 0)


def test_the_table_compares_with_the_first() -> None:
    ours = Footprint("ours", 3, 300, 0, 400, 10, 10, 10)
    library = Footprint("ours, 10 documents", 3, 300, 0, 400, 15, 10, 10)
    other = Footprint("other", 9, 900, 50, 2_000, 0, 0, 0)
    lines = table([ours, library, other]).splitlines()
    assert lines[3].split()[:6] == ["other", "9", "900", "50", "950", "3.17"]
    assert lines[5] == "all our tools, at most 900 tokens: met"
    assert lines[6] == "ours, 10 documents: +5 tokens in all that is listed"


def test_each_of_our_servers_has_a_library_of_its_own(tmp_path: Path) -> None:
    bare, library = our_servers(tmp_path, [6])
    assert "TOKEN_TRACKING_LIBRARY" not in bare.environment
    written = Path(library.environment["TOKEN_TRACKING_LIBRARY"])
    assert len(list(written.glob("*/*.md"))) == 6
