"""Searches and loads, from the answers of a server into the ledger."""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from secrets import token_hex
from typing import Any, Final

from token_tracking.errors import TokenTrackingError
from token_tracking.loads import LibrarySize, Load, LoadKind
from token_tracking_server.callers import Caller
from token_tracking_server.content.library import Library
from token_tracking_server.content.loading import Wanted
from token_tracking_server.content.uris import SCHEME
from token_tracking_server.ledger import Ledger
from token_tracking_server.sizes import Sizes

_LONGEST_NAME: Final = 8_000
"""Characters: the ledger takes no longer name."""

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
        self._definitions = json.dumps(definitions, separators=(",", ":"), ensure_ascii=False)
        self._definition_tokens: int | None = None
        self._saving: set[asyncio.Task[None]] = set()
        self._closing = False

    def searched(self, text: str, category: str | None, at: int, caller: Caller) -> None:
        """An index was shown: all of it is overhead."""
        uri = SCHEME + (category or "")
        self._start(lambda: [self._overhead("search", uri, category or "", text, at, caller)])

    def refused(self, uris: Sequence[str], text: str, at: int, caller: Caller) -> None:
        """An error was told instead of content."""
        named = uris[0] if uris and uris[0].isprintable() else SCHEME
        self._start(lambda: [self._overhead("notice", named, "", text, at, caller)])

    def loaded(self, wanted: Sequence[Wanted], text: str, at: int, caller: Caller) -> None:
        """Documents or sections were sent, or none: what is no content of the answer is overhead,
        of the first where there is one."""
        self._start(lambda: self._loads(wanted, text, at, caller))

    async def settled(self) -> None:
        """When everything up to now is recorded, or could not be."""
        while self._saving:
            await asyncio.gather(*self._saving, return_exceptions=True)

    async def close(self) -> None:
        """Finish what is being recorded, and take no more."""
        self._closing = True
        await self.settled()

    def _loads(self, wanted: Sequence[Wanted], text: str, at: int, caller: Caller) -> list[Load]:
        sent = [each for each in wanted if each.sent]
        if not sent:
            uri, category = wanted[0].uri, wanted[0].entry.category
            return [self._overhead("notice", uri, category, text, at, caller)]
        content = [each.entry.tokens_of(each.sent) for each in sent]
        overhead = max(0, self._sizes.o200k(text) - sum(content))
        answer = token_hex(8)
        return [
            Load(
                session_id=caller.session_id or "",
                at=at,
                uri=each.uri[:_LONGEST_NAME],
                category=each.entry.category,
                tokens=tokens,
                overhead_tokens=0 if number else overhead,
                tool_use_id=caller.tool_use_id,
                answer=answer,
            )
            for number, (each, tokens) in enumerate(zip(sent, content, strict=True))
        ]

    def _overhead(
        self, kind: LoadKind, uri: str, category: str, text: str, at: int, caller: Caller
    ) -> Load:
        return Load(
            session_id=caller.session_id or "",
            at=at,
            uri=uri[:_LONGEST_NAME],
            category=category,
            tokens=0,
            overhead_tokens=self._sizes.o200k(text),
            tool_use_id=caller.tool_use_id,
            answer=token_hex(8),
            kind=kind,
        )

    def _start(self, loads: Callable[[], list[Load]]) -> None:
        if self._closing:
            return
        task = asyncio.create_task(self._save(loads))
        self._saving.add(task)
        task.add_done_callback(self._saving.discard)

    async def _save(self, loads: Callable[[], list[Load]]) -> None:
        try:
            # Counting takes a tenth of a second for a large answer: others are answered meanwhile.
            recorded = await asyncio.to_thread(loads)
            library = await self._library_size()
            await self._ledger.ask(lambda about: about.record_loads(recorded, library))
            self._sizes.learn(await self._ledger.ask(lambda about: about.multipliers()))
        except TokenTrackingError as error:
            _logger.warning("A load is not in the ledger: %s", error)
        except Exception:
            # The outermost edge: a fault of ours must take no content away.
            _logger.exception("A load is not in the ledger")

    async def _library_size(self) -> LibrarySize:
        size = await self._library.ask(lambda catalog: catalog.size())
        if self._definition_tokens is None:
            self._definition_tokens = self._sizes.o200k(self._definitions)
        return LibrarySize(
            fingerprint=size.fingerprint,
            documents=size.documents,
            tokens=size.tokens,
            overhead_tokens=self._definition_tokens,
            method="o200k_base",
        )
