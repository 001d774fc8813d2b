"""Which pieces of documents fit a budget of tokens, and the text that sends them."""

import math
from collections.abc import Callable, Iterator, Sequence
from secrets import token_hex
from typing import Final

from msgspec import Struct

from token_tracking_server.content.documents import Document
from token_tracking_server.content.errors import ContentError
from token_tracking_server.content.outline import Entry
from token_tracking_server.content.uris import Address

CountText = Callable[[str], int]
"""Tokens of a text, in the unit of the budget."""

_FRAME_TOKENS: Final = 60
"""About what one document's frame and its line in the list of what was not sent take."""

_LISTED: Final = 12
_FEW: Final = 3
"""Sections that were not sent, named one by one: as many as there is room for, or at least."""

_TRIES: Final = 4

REST: Final = ".."
"""After a section's URI: that section and all that follow it in the document."""


class Wanted(Struct, kw_only=True):
    """What one URI asks for: pieces of a document, and those of them that are held already."""

    entry: Entry
    document: Document
    anchor: str
    pieces: range
    held: frozenset[int] = frozenset()
    sent: list[int] = []

    @property
    def uri(self) -> str:
        """As asked for."""
        return Address(self.entry.category, self.entry.document_id, self.anchor).uri

    @property
    def missing(self) -> list[int]:
        """Pieces that are neither held nor sent."""
        there = self.held.union(self.sent)
        return [each for each in self.pieces if each not in there]

    def text(self) -> str:
        """What is sent: runs of pieces, with a mark between them where something is left out."""
        runs: list[str] = []
        for number, piece in enumerate(self.sent):
            own = self.document.own_text(self.document.sections[piece])
            if number and piece == self.sent[number - 1] + 1:
                runs[-1] += own
            else:
                runs.append(own)
        return "\n[...]\n".join(run.strip("\n") for run in runs)


class Loading(Struct, kw_only=True):
    """The answer to one call: what is sent, held, left for later, and what was wrong."""

    wanted: list[Wanted]
    errors: list[str]
    budget: int
    count: CountText
    scale: float
    """Tokens of the budget's unit for one token by o200k_base."""

    listed: int = _LISTED

    def choose(self) -> str:
        """Choose what fits, and give the text: strictly within the budget.

        Raises:
            ContentError: the budget is too small to say even what there is, or nothing was found.
        """
        if self.errors and not self.wanted:
            raise ContentError("\n".join(self.errors))
        self._fill()
        text = self.render()
        while (size := self.count(text)) > self.budget:
            if not self._shrink(size - self.budget):
                raise ContentError(
                    f"max_tokens of {self.budget:,} is too small for an answer: give at least"
                    f" {size:,}."
                )
            text = self.render()
        return self._grown(text)

    def tokens(self, o200k: int) -> int:
        """In the unit of the budget."""
        return math.ceil(o200k * self.scale)

    def _fill(self) -> None:
        """What fits by the sizes that the catalog has. A document that does not fit any more, and
        would by itself, is left whole for the next call."""
        left = self.budget - _FRAME_TOKENS * (len(self.wanted) + len(self.errors))
        for wanted in self.wanted:
            size = self.tokens(wanted.entry.tokens_of(wanted.missing))
            if size > left and not self._is_too_large(wanted):
                continue
            for piece in wanted.missing:
                size = self.tokens(wanted.entry.pieces[piece].tokens)
                if size > left:
                    break
                wanted.sent.append(piece)
                left -= size

    def _shrink(self, over: int) -> bool:
        """List less, down to a few; then send less, until about `over` tokens less are sent; then
        list nothing."""
        if self.listed > _FEW:
            self.listed = _FEW
            return True
        freed = 0
        for wanted in reversed(self.wanted):
            while wanted.sent and freed < over:
                freed += self.tokens(wanted.entry.pieces[wanted.sent.pop()].tokens)
        if not freed and self.listed:
            self.listed = 0
            return True
        return freed > 0

    def _grown(self, text: str) -> str:
        """The sizes are rounded up: what was left out may fit after all."""
        for wanted in self.wanted:
            for _ in range(_TRIES):
                missing = wanted.missing
                more = missing[:1] if self._is_too_large(wanted) or wanted.sent else missing
                if not more:
                    break
                before = list(wanted.sent)
                wanted.sent += more
                larger = self.render()
                if self.count(larger) > self.budget:
                    wanted.sent = before
                    break
                text = larger
        return text

    def _is_too_large(self, wanted: Wanted) -> bool:
        """Whether it cannot be sent whole in any call with this budget."""
        return self._needed(wanted.uri, wanted.entry.tokens_of(wanted.missing)) > self.budget

    def _needed(self, uri: str, o200k: int) -> int:
        """The least `max_tokens` that sends so much content."""
        return self.tokens(o200k) + self.count(_framed(uri, ""))

    def render(self) -> str:
        """The answer as it stands."""
        blocks = [_framed(each.uri, each.text()) for each in self.wanted if each.sent]
        return "\n\n".join([*blocks, *filter(None, [self._held(), self._later(), self._wrong()])])

    def _held(self) -> str:
        lines = [
            f"- {each.uri}" + ("" if len(each.held) == len(each.pieces) else " (in part)")
            for each in self.wanted
            if each.held
        ]
        if not lines:
            return ""
        return "\n".join(
            ["Loaded in this session already, not sent again (again=true sends it):", *lines]
        )

    def _later(self) -> str:
        lines = [line for each in self.wanted for line in self._rest(each)]
        return "\n".join([f"Not sent, over max_tokens {self.budget:,}:", *lines]) if lines else ""

    def _rest(self, wanted: Wanted) -> Iterator[str]:
        missing, entry = wanted.missing, wanted.entry
        if not missing:
            return
        if not wanted.sent:
            needed = self._needed(wanted.uri, entry.tokens_of(missing))
            line = f"- {wanted.uri} (needs {needed:,} tokens"
            if needed > self.budget:
                first = entry.pieces[missing[0]].tokens
                line += f", its first section {self._needed(wanted.uri, first):,}"
            yield line + ")"
            return
        parts = list(_subtrees(entry, missing))
        for piece, count in parts[: self.listed]:
            uri = entry.section_uri(piece)
            yield f"- {uri} (needs {self._needed(uri, count):,} tokens)"
        if len(parts) > self.listed:
            rest = parts[self.listed :]
            size = self.tokens(sum(count for _, count in rest))
            yield f"- {entry.section_uri(rest[0][0])}{REST} for all from there on ({size:,} tokens)"

    def _wrong(self) -> str:
        return "\n".join(self.errors)


def _framed(uri: str, text: str) -> str:
    """A document between tags. One that holds such tags itself gets tags that it cannot know:
    what it says must not pass for another document, or for what this server says."""
    tag = f"content-{token_hex(4)}" if "<content" in text or "</content" in text else "content"
    return f'<{tag} uri="{uri}">\n{text}\n</{tag}>'


def _subtrees(entry: Entry, missing: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The fewest sections that hold exactly these pieces, and their tokens."""
    left = set(missing)
    for piece in missing:
        if piece not in left:
            continue
        extent = entry.extent(piece)
        if left.issuperset(extent):
            left.difference_update(extent)
            yield piece, entry.tokens_of(extent)
        else:
            left.discard(piece)
            yield piece, entry.pieces[piece].tokens
