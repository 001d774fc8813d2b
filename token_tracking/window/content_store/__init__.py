"""Text that left a conversation, kept so that the model can ask for it again.

Opt-in, and apart from the ledger, which never holds text: in memory, or in a file of its own.
"""

from token_tracking.window.content_store.contract import ContentStore, StoredContent
from token_tracking.window.content_store.fetching import FETCH_TOOL, fetch, fetch_call, fetch_tool
from token_tracking.window.content_store.memory import MemoryContentStore
from token_tracking.window.content_store.sqlite import SqliteContentStore

__all__ = [
    "FETCH_TOOL",
    "ContentStore",
    "MemoryContentStore",
    "SqliteContentStore",
    "StoredContent",
    "fetch",
    "fetch_call",
    "fetch_tool",
]
