"""Terms of the library that a word was likely meant to be."""

from token_tracking_server.content.search.postings import Postings


def near_terms(term: str, postings: Postings) -> list[str]:
    """For now none."""
    return []
