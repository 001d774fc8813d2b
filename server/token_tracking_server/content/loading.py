"""Which pieces of documents fit a budget of tokens, and the text that sends them."""

import math
from collections.abc import Callable, Iterator, Sequence
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


class Wanted(Struct, kw_only=True):
    """What one URI asks for: pieces of a document, and those of them that are held already."""

    entry: Entry
    document: Document
    anchor: str
    pieces: range
    held: tuple[int, ...] = ()
    sent: list[int] = []

    @property
    def uri(self) -> str:
        """As asked for."""
        return Address(self.entry.category, self.entry.document_id, self.anchor).uri

    @property
    def missing(self) -> list[int]:
        """Pieces that are neither held nor sent."""
        return [each for each in self.pieces if each not in self.held and each not in self.sent]

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
                    f" {self._least():,}."
                )
            text = self.render()
        return text

    def _least(self) -> int:
        first = next((each for each in self.wanted if each.missing), self.wanted[0])
        piece = self.tokens(first.entry.pieces[first.missing[0]].tokens) if first.missing else 0
        return piece + _FRAME_TOKENS * (len(self.wanted) + len(self.errors) + 1)

    def tokens(self, o200k: int) -> int:
        """In the unit of the budget."""
        return math.ceil(o200k * self.scale)

    def _fill(self) -> None:
        left = self.budget - _FRAME_TOKENS * (len(self.wanted) + len(self.errors))
        for wanted in self.wanted:
            size = self.tokens(wanted.entry.tokens_of(wanted.missing))
            if size > left and size <= self.budget - _FRAME_TOKENS * 2:
                continue  # The next call can have it whole.
            for piece in wanted.missing:
                size = self.tokens(wanted.entry.pieces[piece].tokens)
                if size > left:
                    break
                wanted.sent.append(piece)
                left -= size

    def _shrink(self, over: int) -> bool:
        """Send less, until about `over` tokens less are sent; then list less."""
        freed = 0
        for wanted in reversed(self.wanted):
            while wanted.sent and freed < over:
                freed += self.tokens(wanted.entry.pieces[wanted.sent.pop()].tokens)
        if not freed and self.listed:
            self.listed = self.listed // 2
            return True
        return freed > 0

    def render(self) -> str:
        """The answer as it stands."""
        blocks = [
            f'<content uri="{each.uri}">\n{each.text()}\n</content>'
            for each in self.wanted
            if each.sent
        ]
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
        missing = wanted.missing
        if not missing:
            return
        entry = wanted.entry
        size = self.tokens(entry.tokens_of(missing))
        if not wanted.sent:
            yield f"- {wanted.uri} ({size:,} tokens)"
            return
        parts = list(_subtrees(entry, missing))
        for piece, count in parts[: self.listed]:
            yield f"- {entry.section_uri(piece)} ({self.tokens(count):,} tokens)"
        if len(parts) > self.listed:
            yield f"- {wanted.uri} again for what follows ({size:,} tokens in all)"

    def _wrong(self) -> str:
        return "\n".join(self.errors)


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
