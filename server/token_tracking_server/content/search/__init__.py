"""Search in the library: words of a question to the documents and sections that answer it."""

from token_tracking_server.content.search.index import Hit, Indexed, Indexer, SearchIndex

__all__ = ["Hit", "Indexed", "Indexer", "SearchIndex"]
