"""Several readings as one set of sightings: what one transaction saves."""

from collections.abc import Iterable

from msgspec.structs import replace

from token_tracking.merge import join, join_item
from token_tracking.reading import (
    ClientTotal,
    FileCursor,
    Reading,
    SessionSpan,
    join_client_totals,
    join_spans,
)
from token_tracking.usage import ContentItem, Place, UsageEvent


class Batch:
    """Sightings joined by message, items by key, spans by session; the newest cursor of a file."""

    def __init__(self, readings: Iterable[Reading] = ()) -> None:
        self.events: dict[str, UsageEvent] = {}
        self.items: dict[str, ContentItem] = {}
        self.spans: dict[str, SessionSpan] = {}
        self.client_totals: dict[tuple[str, str], ClientTotal] = {}
        self.cursors: dict[str, FileCursor] = {}
        for reading in readings:
            self.add(reading)

    @classmethod
    def of_events(cls, events: Iterable[UsageEvent]) -> "Batch":
        """Sightings that come from no file. One that names no session gets the nameless one."""
        batch = cls()
        for event in events:
            placed = event if event.places else _placed(event)
            batch._add_event(placed, frozenset())
        return batch

    def add(self, reading: Reading) -> None:
        """Take a reading in."""
        for span in reading.sessions:
            self._add_span(span)
        spanned = frozenset(span.session_id for span in reading.sessions)
        for event in reading.events:
            self._add_event(event, spanned)
        for item in reading.items:
            known = self.items.get(item.key)
            self.items[item.key] = item if known is None else join_item(known, item)
        for total in reading.client_totals:
            key = (total.session_id, total.model)
            seen = self.client_totals.get(key)
            self.client_totals[key] = total if seen is None else join_client_totals(seen, total)
        self.cursors[reading.cursor.path] = reading.cursor

    def drop_before(self, kept_from: int) -> None:
        """Leave out the messages before `kept_from` (milliseconds since 1970 UTC), and items that
        are part of no other: they were deleted at the user's wish."""
        dropped = {key for key, event in self.events.items() if event.timestamp < kept_from}
        for key in dropped:
            del self.events[key]
        gone = {None, *dropped}
        for key, item in list(self.items.items()):
            named = {item.message, item.after}
            if named <= gone and named != {None}:
                del self.items[key]

    def names(self) -> set[str]:
        """Every text that the ledger keeps once."""
        names = {span.cwd for span in self.spans.values()}
        for event in self.events.values():
            for place in event.places:
                names |= {place.cwd, place.git_branch}
        for item in self.items.values():
            names |= {item.name, item.server, item.uri}
        return {name for name in names if name is not None}

    def sessions(self) -> set[str]:
        """Every session that anything names."""
        opened = {session for item in self.items.values() for session in item.sessions}
        return self.spans.keys() | opened | {session for session, _ in self.client_totals}

    def references(self) -> set[str]:
        """Every message that another one or an item names."""
        keys = {place.parent for event in self.events.values() for place in event.places}
        for item in self.items.values():
            keys |= {item.message, item.after}
        return {key for key in keys if key is not None}

    def _add_event(self, event: UsageEvent, spanned: frozenset[str]) -> None:
        """Take a sighting in; its places tell of the sessions that are not `spanned`."""
        known = self.events.get(event.key)
        self.events[event.key] = event if known is None else join(known, event)
        for place in event.places:
            if place.session_id not in spanned:
                self._add_span(_span(place))

    def _add_span(self, span: SessionSpan) -> None:
        known = self.spans.get(span.session_id)
        self.spans[span.session_id] = span if known is None else join_spans(known, span)


def _placed(event: UsageEvent) -> UsageEvent:
    return replace(event, places=(Place(session_id="", timestamp=event.timestamp),))


def _span(place: Place) -> SessionSpan:
    return SessionSpan(
        session_id=place.session_id,
        first_at=place.timestamp,
        last_at=place.timestamp,
        cwd=place.cwd,
        cwd_at=None if place.cwd is None else place.timestamp,
    )
