"""News of the figures, for the clients that subscribed to them.

While somebody is subscribed to an `efficiency://` resource, the transcripts are looked at every few
seconds, and what they brought is attributed; a change by another program shows in the ledger's own
version. While nobody is, nothing happens.
"""

import logging
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from token_tracking.errors import TokenTrackingError
from token_tracking_server.efficiency_resources import SCHEME
from token_tracking_server.ledger import Ledger
from token_tracking_server.subscriptions import Subscriptions

if TYPE_CHECKING:
    from token_tracking_server.questions import Questions

LOOK_SECONDS: Final = 5.0
"""Between two looks. One costs a `stat` a file."""

_logger: Final = logging.getLogger(__name__)


class FigureNews:
    """Tells the subscribers of a server."""

    def __init__(self, ledger: Ledger, subscriptions: Subscriptions) -> None:
        self._ledger = ledger
        self._subscriptions = subscriptions
        self._watch = FigureWatch()
        subscriptions.before_subscribing(self._remember)

    async def tell(self) -> None:
        """Tell of every change, until it is cancelled."""
        while True:
            await self._subscriptions.wanted_of(SCHEME)
            await self._subscriptions.changed(await self._changed())
            await self._subscriptions.next(LOOK_SECONDS)

    async def _changed(self) -> Sequence[str]:
        wanted = self._subscriptions.wanted
        self._watch.forget_all_but(wanted)
        with _logged():
            return await self._ledger.ask(lambda about: self._look(about, wanted))
        return ()

    async def _look(self, about: "Questions", wanted: Collection[str]) -> Sequence[str]:
        # The look before forgot one that was remembered, but not yet subscribed to by then.
        await self._watch.remember(about, [uri for uri in wanted if uri.startswith(SCHEME)])
        return await self._watch.look(about)

    async def _remember(self, uris: Collection[str]) -> None:
        """What is written after the answer to a subscription is news, however fast it is read."""
        if figures := [uri for uri in uris if uri.startswith(SCHEME)]:
            with _logged():
                await self._ledger.ask(lambda about: self._watch.remember(about, figures))


class FigureWatch:
    """What the figures were when their subscribers were last told, and in which version of the
    ledger."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[object, object]] = {}

    async def remember(self, about: "Questions", uris: Collection[str]) -> None:
        """Begin to watch resources: later looks are compared with now."""
        version = await about.version()
        seen = {uri: (version, await _state(about, uri)) for uri in uris if uri not in self._seen}
        self._seen = seen | self._seen

    def forget_all_but(self, wanted: Collection[str]) -> None:
        """End watching the others."""
        self._seen = {uri: seen for uri, seen in self._seen.items() if uri in wanted}

    async def look(self, about: "Questions") -> Sequence[str]:
        """Bring the ledger up to date: the resources whose figures have changed."""
        await about.settled()
        version = await about.version()
        return [uri for uri in sorted(self._seen) if await self._is_other(about, uri, version)]

    async def _is_other(self, about: "Questions", uri: str, version: object) -> bool:
        known, before = self._seen[uri]
        if known == version:
            return False
        now = await _state(about, uri)
        self._seen[uri] = (version, now)
        return now != before


@contextmanager
def _logged() -> Generator[None]:
    try:
        yield
    except TokenTrackingError as error:
        _logger.warning("Subscribers hear of no change for now: %s", error)
    except Exception:
        # The outermost edge: a fault of ours must not end the watch.
        _logger.exception("Subscribers hear of no change for now")


async def _state(about: "Questions", uri: str) -> object:
    """What tells the figures of a resource from those of another time; `None` where it does not
    exist (yet)."""
    kind, _, value = unquote(uri.removeprefix(SCHEME).partition("#")[0]).partition("/")
    try:
        if kind == "session":
            choice = await about.choose(value)
            return await about.efficiency.session_state(choice.session_id)
        return await about.efficiency.state(kind, value)
    except (LookupError, ValueError):
        return None
