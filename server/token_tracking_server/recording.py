"""Searches and loads, from the answers of a server into the ledger."""

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import Any, Final

from token_tracking.errors import TokenTrackingError
from token_tracking.loads import LibrarySize, Load
from token_tracking_server.callers import Caller
from token_tracking_server.content.library import Library
from token_tracking_server.content.loading import Wanted
from token_tracking_server.content.uris import SCHEME
from token_tracking_server.ledger import Ledger
from token_tracking_server.sizes import Sizes

_logger: Final = logging.getLogger(__name__)


class Recording:
    """Records in the background: who loads does not wait for the ledger, nor fail with it.

    `definitions` are the library's own tools as a host gives them to a model: their size is paid
    for in every request.
    """

    def __init__(
        self,
        ledger: Ledger,
        library: Library,
        sizes: Sizes,
        definitions: Sequence[dict[str, Any]] = (),
    ) -> None:
        self._ledger = ledger
        self._library = library
        self._sizes = sizes
        self._definitions = definitions
        self._saving: set[asyncio.Task[None]] = set()

    def searched(self, text: str, category: str | None, at: int, caller: Caller) -> None:
        """An index was shown: all of it is overhead."""
        self._start([self._overhead(SCHEME + (category or ""), category or "", text, at, caller)])

    def loaded(self, wanted: Sequence[Wanted], text: str, at: int, caller: Caller) -> None:
        """Documents or sections were sent, or none: what is no content of the answer is overhead,
        of the first where there is one."""
        sent = [each for each in wanted if each.sent]
        if not sent:
            first = wanted[0]
            self._start([self._overhead(first.uri, first.entry.category, text, at, caller)])
            return
        content = [each.entry.tokens_of(each.sent) for each in sent]
        overhead = max(0, self._sizes.o200k(text) - sum(content))
        self._start(
            [
                Load(
                    session_id=caller.session_id or "",
                    at=at,
                    uri=each.uri,
                    category=each.entry.category,
                    tokens=tokens,
                    overhead_tokens=0 if number else overhead,
                    tool_use_id=caller.tool_use_id,
                )
                for number, (each, tokens) in enumerate(zip(sent, content, strict=True))
            ]
        )

    def _overhead(self, uri: str, category: str, text: str, at: int, caller: Caller) -> Load:
        return Load(
            session_id=caller.session_id or "",
            at=at,
            uri=uri,
            category=category,
            tokens=0,
            overhead_tokens=self._sizes.o200k(text),
            tool_use_id=caller.tool_use_id,
            kind="search",
        )

    def _start(self, loads: list[Load]) -> None:
        task = asyncio.create_task(self._save(loads))
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)

    async def _save(self, loads: list[Load]) -> None:
        try:
            library = await self._library_size()
            await self._ledger.ask(lambda about: about.record_loads(loads, library))
        except TokenTrackingError as error:
            _logger.warning("A load is not in the ledger: %s", error)

    async def _library_size(self) -> LibrarySize:
        size = await self._library.ask(lambda catalog: catalog.size())
        definitions = json.dumps(self._definitions, separators=(",", ":"), ensure_ascii=False)
        return LibrarySize(
            fingerprint=size.fingerprint,
            documents=size.documents,
            tokens=size.tokens,
            overhead_tokens=self._sizes.o200k(definitions),
            method="o200k_base",
        )

    async def close(self) -> None:
        """Finish what is being recorded."""
        await asyncio.gather(*self._saving, return_exceptions=True)
