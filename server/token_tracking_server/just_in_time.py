"""Content for a conversation when it needs it: what the two tools of the library answer."""

import asyncio
import logging
import time
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, Final

from token_tracking.errors import TokenTrackingError
from token_tracking_server.answers.markdown import LIMIT
from token_tracking_server.callers import Caller
from token_tracking_server.content.catalog import Category, Found, shortened
from token_tracking_server.content.errors import ContentError, UnknownContentError
from token_tracking_server.content.held import Conversations, Held
from token_tracking_server.content.library import Library
from token_tracking_server.content.loading import Loading, Wanted
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

    async def search(
        self, query: str, category: str | None, limit: int, max_tokens: int, caller: Caller
    ) -> str:
        """An index of the documents that match best, a line each, within `max_tokens`.

        Raises:
            ContentError: there is no such category, or the budget is too small.
        """
        found, size = await self.library.ask(
            lambda catalog: (catalog.search(query, category, limit), catalog.size())
        )
        text = await asyncio.to_thread(
            self._index, found, size.documents, max_tokens, f"{query:.60}"
        )
        self._recording.searched(text, category, _now(), caller)
        return text

    def _index(self, found: list[Found], documents: int, max_tokens: int, query: str) -> str:
        notes = self._notes()
        if not found:
            return "\n".join([f"Nothing in {documents:,} documents matches {query!r}.", *notes])
        lines = [self._line(each) for each in found]
        needed = 0
        for shown in range(len(lines), 0, -1):
            head = f"{shown} of {documents:,} documents, best first ({self._sizes.basis}):"
            text = "\n".join([head, *lines[:shown], *notes])
            needed = self._sizes.count(text)
            if needed <= max_tokens:
                return text
        raise ContentError(f"max_tokens of {max_tokens:,} is too small: give at least {needed:,}.")

    def _line(self, found: Found) -> str:
        size = f"{self._sizes.scaled(found.tokens):,}"
        if not found.is_whole:
            size += f" of {self._sizes.scaled(found.entry.tokens):,}"
        return f"- {found.uri} | {found.titles} | {size} tokens | {', '.join(found.matched)}"

    def _notes(self) -> list[str]:
        indexing = self.library.indexing
        if indexing is None or not indexing.total:
            return []
        return [f"The library is being indexed: {indexing.done:,} of {indexing.total:,} files."]

    async def load(self, uris: Sequence[str], max_tokens: int, again: bool, caller: Caller) -> str:
        """Documents and sections, within `max_tokens`; what did not fit is listed.

        Raises:
            ContentError: nothing can be loaded; the text says why, and what to do.
        """
        if not uris or len(uris) > MOST_URIS:
            raise ContentError(f"Give 1 to {MOST_URIS} URIs: search_content finds them.")
        wanted, errors = await self._wanted(uris)
        held = await self._held(caller)
        if not again and any(held.pieces(each.entry) for each in wanted):
            await self._forget_lost(held, caller)
        for each in wanted:
            each.held = () if again else tuple(held.pieces(each.entry).intersection(each.pieces))
        loading = Loading(
            wanted=wanted,
            errors=errors,
            budget=max_tokens,
            count=self._sizes.count,
            scale=self._sizes.scale,
        )
        text = await asyncio.to_thread(loading.choose)
        at = _now()
        for each in wanted:
            held.add(each.entry, each.sent, at)
        self._recording.loaded(wanted, text, at, caller)
        return text

    async def text(self, address: Address) -> str:
        """A document or section as it is, whatever its size: what a client reads as a resource.

        Raises:
            ContentError: there is none, or it cannot be read.
        """
        wanted = await self._one(address)
        wanted.sent = list(wanted.pieces)
        return wanted.text()

    async def listing(self, category: str) -> str:
        """The documents of a category, as many as an answer holds.

        Raises:
            UnknownContentError: there is no such category.
        """
        entries = await self.library.ask(lambda catalog: catalog.documents(category, LIMIT // 20))
        known = await self.library.ask(lambda catalog: catalog.categories())
        sums = next(each for each in known if each.name == category)
        return self._listing(sums, entries)

    def _listing(self, category: Category, entries: Sequence[Entry]) -> str:
        size = self._sizes.scaled(category.tokens)
        lines = [f"# {category.name}: {category.documents:,} documents, {size:,} tokens"]
        lines.append(f"({self._sizes.basis})")
        used = sum(map(len, lines))
        for entry in entries:
            size = self._sizes.scaled(entry.tokens)
            line = f"- {entry.uri} | {shortened(entry.title)} | {size:,} tokens"
            if used + len(line) > LIMIT - 120:
                break
            used += len(line) + 1
            lines.append(line)
        rest = category.documents - len(lines) + 2
        if rest > 0:
            name = category.name
            lines.append(f"- {rest:,} more: search_content with category={name!r} finds them")
        return "\n".join(lines)

    async def _wanted(self, uris: Sequence[str]) -> tuple[list[Wanted], list[str]]:
        wanted: list[Wanted] = []
        errors: list[str] = []
        for uri in dict.fromkeys(uris):
            try:
                wanted.append(await self._one(parse_uri(uri)))
            except ContentError as error:
                errors.append(str(error))
        return _once(wanted), errors

    async def _one(self, address: Address) -> Wanted:
        if not address.document_id:
            raise UnknownContentError(
                f"{address.uri} is a category: search_content with category={address.category!r}"
                " finds its documents."
            )
        entry, document = await self.library.read(address)
        pieces = range(len(entry.pieces))
        if address.anchor:
            piece = entry.section_of(address.anchor)
            if piece is None:
                raise UnknownContentError(_no_section(entry, address.anchor))
            pieces = entry.extent(piece)
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

    async def _forget_lost(self, held: Held, caller: Caller) -> None:
        """A compaction, or a new conversation in the same client, took content away: looked at
        only where something would not be sent."""
        if caller.session_id is None:
            return
        try:
            lost = await self._ledger.ask(
                lambda about: about.context_since(caller.session_id or "", caller.tool_use_id)
            )
        except TokenTrackingError as error:
            _logger.warning("Whether the session was compacted is not known: %s", error)
            return
        if lost is not None:
            held.forget_before(lost)

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
    return [each for each in wanted if each in kept]


def _no_section(entry: Entry, anchor: str) -> str:
    anchors = [piece.anchor for piece in entry.pieces]
    near = get_close_matches(anchor, anchors, n=3, cutoff=0.5) or anchors[:8]
    names = ", ".join(f"#{each}" for each in near)
    return f"{entry.uri} has no section #{anchor}. It has {names}{' ...' * (len(anchors) > 8)}."


def _now() -> int:
    return time.time_ns() // 1_000_000
