"""What a conversation has loaded, and still holds."""

from collections import OrderedDict
from collections.abc import Set
from typing import Final

from msgspec import Struct

from token_tracking_server.content.outline import Entry

_CONVERSATIONS: Final = 200
"""A server on HTTP forgets the conversation that was silent for longest."""


class _Loaded(Struct):
    digest: bytes
    pieces: dict[int, int] = {}  # piece: when it was loaded


class Held(Struct):
    """The pieces of documents that one conversation was sent, and when: milliseconds since 1970
    UTC. What changed since does not count."""

    documents: dict[tuple[str, str], _Loaded] = {}

    def pieces(self, entry: Entry) -> frozenset[int]:
        """The pieces of a document that it holds as they are now."""
        loaded = self.documents.get((entry.category, entry.document_id))
        same = loaded is not None and loaded.digest == entry.digest
        return frozenset(loaded.pieces) if loaded is not None and same else frozenset()

    def add(self, entry: Entry, pieces: list[int] | range, at: int) -> None:
        """Note what was sent."""
        key = (entry.category, entry.document_id)
        loaded = self.documents.get(key)
        if loaded is None or loaded.digest != entry.digest:
            loaded = self.documents[key] = _Loaded(entry.digest)
        loaded.pieces.update(dict.fromkeys(pieces, at))

    def only(self, moments: Set[int]) -> "Held":
        """What of it was loaded at these moments: the rest left the context."""
        kept = Held()
        for key, loaded in self.documents.items():
            pieces = {piece: at for piece, at in loaded.pieces.items() if at in moments}
            if pieces:
                kept.documents[key] = _Loaded(loaded.digest, pieces)
        return kept


class Conversations:
    """What each conversation holds."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, Held] = OrderedDict()

    def held(self, conversation: str) -> Held | None:
        """What it holds; `None` where nothing was noted of it yet."""
        held = self._held.get(conversation)
        if held is not None:
            self._held.move_to_end(conversation)
        return held

    def begin(self, conversation: str) -> Held:
        """A conversation that nothing was noted of."""
        held = self._held[conversation] = Held()
        while len(self._held) > _CONVERSATIONS:
            self._held.popitem(last=False)
        return held
