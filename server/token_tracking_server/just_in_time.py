"""Content for a conversation when it needs it: what the two tools of the library answer."""

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any, Final

from token_tracking.errors import TokenTrackingError
from token_tracking_server.answers.content import index_answer, listing_answer
from token_tracking_server.answers.markdown import LIMIT
from token_tracking_server.callers import Caller
from token_tracking_server.content.catalog import Catalog
from token_tracking_server.content.documents import Document
from token_tracking_server.content.errors import ContentError, UnknownContentError
from token_tracking_server.content.held import Conversations, Held
from token_tracking_server.content.library import Library
from token_tracking_server.content.loading import REST, Loading, Wanted
from token_tracking_server.content.names import nearest
from token_tracking_server.content.outline import Entry
from token_tracking_server.content.uris import Address, parse_uri
from token_tracking_server.ledger import Ledger
from token_tracking_server.recording import Recording
from token_tracking_server.settings import Settings
from token_tracking_server.sizes import Sizes

MOST_URIS: Final = 50
_logger: Final = logging.getLogger(__name__)


def open_library(
    settings: Settings, ledger: Ledger, definitions: Sequence[dict[str, Any]]
) -> "JustInTime":
    """The library of the settings. `definitions` are its own tools as a host gives them to a
    model: their size is paid for in every request."""
    library = Library(settings.library_folders(), settings.catalog_folder())
    return JustInTime(library, ledger, Sizes(), definitions)


class JustInTime:
    """Searches and loads, remembers what each conversation holds, and tells the ledger."""

    def __init__(
        self,
        library: Library,
        ledger: Ledger,
        sizes: Sizes,
        definitions: Sequence[dict[str, Any]] = (),
    ) -> None:
        self.library = library
        self._ledger = ledger
        self._sizes = sizes
        self._recording = Recording(ledger, library, sizes, definitions)
        self._conversations = Conversations()
        self._last = 0

    async def search(
        self, query: str, category: str | None, limit: int, max_tokens: int, caller: Caller
    ) -> str:
        """An index of the documents that match best, a line each, within `max_tokens`.

        Raises:
            ContentError: there is no such category, or the budget is too small.
        """
        documents, found, notes = await self.library.ask(
            lambda catalog: (
                catalog.size().documents,
                catalog.search(query, self._known(catalog, category), limit),
                self._notes(catalog),
            )
        )
        text = await asyncio.to_thread(
            index_answer, found, documents, query, notes, self._sizes, max_tokens
        )
        self._recording.searched(text, category, self._moment(), caller)
        return text

    def _known(self, catalog: Catalog, category: str | None) -> str | None:
        try:
            return None if category is None else catalog.known_category(category)
        except UnknownContentError as error:
            raise ContentError("\n".join([str(error), *self._notes(catalog)])) from error

    def _notes(self, catalog: Catalog) -> list[str]:
        """What keeps an answer from being the last word."""
        notes = [
            f"The library's folder {self.library.roots.folders[each.root]}: {each.reason}."
            " token-tracking doctor tells more."
            for each in catalog.missing_roots()
        ]
        indexing = self.library.indexing
        if indexing is not None and indexing.total:
            done = f"{indexing.done:,} of {indexing.total:,} files"
            notes.append(f"The library is being indexed ({done}): ask again in a moment.")
        return notes

    async def load(self, uris: Sequence[str], max_tokens: int, again: bool, caller: Caller) -> str:
        """Documents and sections, within `max_tokens`; what did not fit is listed.

        Raises:
            ContentError: nothing can be loaded; the text says why, and what to do.
        """
        try:
            return await self._load(uris, max_tokens, again, caller)
        except ContentError as error:
            self._recording.refused(uris, str(error), self._moment(), caller)
            raise

    async def _load(self, uris: Sequence[str], max_tokens: int, again: bool, caller: Caller) -> str:
        if not uris or len(uris) > MOST_URIS:
            raise ContentError(f"Give 1 to {MOST_URIS} URIs: search_content finds them.")
        wanted, errors = await self._wanted(uris)
        held = await self._held(caller)
        there = Held() if again else held
        if any(there.pieces(each.entry).intersection(each.pieces) for each in wanted):
            there = await self._still(there, caller)
        for each in wanted:
            each.held = there.pieces(each.entry) & frozenset(each.pieces)
        loading = Loading(
            wanted=wanted,
            errors=errors,
            budget=max_tokens,
            count=self._sizes.count,
            scale=self._sizes.scale,
        )
        text = await asyncio.to_thread(loading.choose)
        at = self._moment()
        self._recording.loaded(wanted, text, at, caller)
        for each in wanted:
            held.add(each.entry, each.sent, at)
        return text

    def _moment(self) -> int:
        """Now, and no two loads at once: a moment tells which load it was."""
        self._last = max(_now(), self._last + 1)
        return self._last

    async def text(self, address: Address, caller: Caller) -> str:
        """A document or section as it is, whatever its size: what a client reads as a resource.

        Raises:
            ContentError: there is none, or it cannot be read.
        """
        wanted = await self._one(address)
        wanted.sent = list(wanted.pieces)
        text = wanted.text()
        self._recording.loaded([wanted], text, self._moment(), caller)
        return text

    async def listing(self, category: str) -> str:
        """The documents of a category, as many as an answer holds.

        Raises:
            UnknownContentError: there is no such category.
        """
        entries = await self.library.ask(lambda catalog: catalog.documents(category, LIMIT // 20))
        known = await self.library.ask(lambda catalog: catalog.categories())
        sums = next(each for each in known if each.name == category)
        return listing_answer(sums, entries, self._sizes)

    async def _wanted(self, uris: Sequence[str]) -> tuple[list[Wanted], list[str]]:
        wanted: list[Wanted] = []
        errors: list[str] = []
        read: dict[Address, tuple[Entry, Document]] = {}
        for uri in dict.fromkeys(uris):
            try:
                wanted.append(await self._one(parse_uri(uri), read))
            except ContentError as error:
                errors.append(str(error))
        if errors:
            errors += await self.library.ask(self._notes)
        return _once(wanted), errors

    async def _one(
        self, address: Address, read: dict[Address, tuple[Entry, Document]] | None = None
    ) -> Wanted:
        """What a URI asks for. `read` has the documents that were read for the same call."""
        read = {} if read is None else read
        if not address.document_id:
            category = address.category
            await self.library.ask(lambda catalog: catalog.known_category(category))
            raise UnknownContentError(
                f"{address.uri} is a category: search_content with category={category!r}"
                " finds its documents."
            )
        whole = address._replace(anchor="")
        if whole not in read:
            read[whole] = await self.library.read(whole)
        entry, document = read[whole]
        # Of a document with thousands of sections a wrong name takes a moment to be compared.
        pieces = await asyncio.to_thread(_pieces, entry, address.anchor)
        return Wanted(entry=entry, document=document, anchor=address.anchor, pieces=pieces)

    async def _held(self, caller: Caller) -> Held:
        """What the conversation holds. One that this process has not seen may have been resumed:
        the ledger knows what it loaded."""
        if caller.conversation is None:
            return Held()
        held = self._conversations.held(caller.conversation)
        if held is None:
            held = self._conversations.begin(caller.conversation)
            if caller.session_id is not None:
                await self._restore(held, caller.session_id)
        return held

    async def _restore(self, held: Held, session_id: str) -> None:
        try:
            loads = await self._ledger.ask(lambda about: about.loads_held(session_id))
        except TokenTrackingError as error:
            _logger.warning("What the session loaded before is not known: %s", error)
            return
        for uri, tokens, at in loads:
            try:
                wanted = await self._one(parse_uri(uri))
            except ContentError:
                continue
            # Of a load in part, or of what has changed since, the ledger does not know which
            # part: it is sent again.
            if wanted.entry.tokens_of(wanted.pieces) == tokens:
                held.add(wanted.entry, wanted.pieces, at)

    async def _still(self, held: Held, caller: Caller) -> Held:
        """What of it the caller holds: a compaction, a new conversation in the same client, or
        another agent's context may not have it. Looked at only where something would not be
        sent."""
        if caller.session_id is None and caller.tool_use_id is None:
            return held
        await self._recording.settled()
        try:
            moments = await self._ledger.ask(
                lambda about: about.still_held(caller.session_id, caller.tool_use_id)
            )
        except TokenTrackingError as error:
            _logger.warning("Whether the session still holds what it loaded is unknown: %s", error)
            return held
        return held if moments is None else held.only(moments)

    async def close(self) -> None:
        """Finish what is being recorded, and close the library."""
        await self._recording.close()
        await self.library.close()


def _once(wanted: list[Wanted]) -> list[Wanted]:
    """A section of a document that is asked for as well is not sent twice."""
    given: dict[tuple[str, str], set[int]] = {}
    kept: list[Wanted] = []
    for each in sorted(wanted, key=lambda one: -len(one.pieces)):
        key = (each.entry.category, each.entry.document_id)
        if not given.setdefault(key, set()).issuperset(each.pieces):
            given[key].update(each.pieces)
            kept.append(each)
    return [each for each in wanted if any(each is other for other in kept)]


def _pieces(entry: Entry, anchor: str) -> range:
    """All pieces, those of a section, or those from a section on (`#section..`)."""
    if not anchor:
        return range(len(entry.pieces))
    piece = entry.section_of(anchor.removesuffix(REST))
    if piece is None:
        raise UnknownContentError(_no_section(entry, anchor))
    if anchor.endswith(REST):
        return range(piece, len(entry.pieces))
    return entry.extent(piece)


def _no_section(entry: Entry, anchor: str) -> str:
    anchors = [piece.anchor for piece in entry.pieces]
    near = nearest(anchor, anchors, 3, 0.5) or anchors[:8]
    names = ", ".join(f"#{each}" for each in near)
    return f"{entry.uri} has no section #{anchor}. It has {names}{' ...' * (len(anchors) > 8)}."


def _now() -> int:
    return time.time_ns() // 1_000_000
