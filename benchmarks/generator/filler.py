"""What a generated transcript is filled with: words, paths, ids and times."""

import random
from datetime import UTC, datetime

TEXT = (
    "the a of and to in is it for on with as that this from by at or an be we if not then when "
    "order basket price stock book author title shelf customer address invoice refund total page "
    "request response handler query table column index cache session token value result error "
    "return import class def self None True False list dict str int async await try except raise "
    "check update create remove rename split merge load store parse render validate retry close"
)
WORDS = TEXT.split()
RARE_WORDS = ("naïve", "café", "→", "✓", "€", "“quoted”", "it's")
RARE = 0.003  # of words; chosen
# Line breaks and quotes, which JSON escapes, are as frequent as in Python's own library (28 and 9
# of 1,000 characters): three of these, and one, at about six characters a word.
GLUE = (*[" "] * 10, ", ", ". ", " = ", "(", ") ", "\n", "\n    ", "\n        ", ' "')
FOLDERS = ("src", "src/orders", "src/catalog", "src/api", "tests", "docs", "web/components")
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FILLER_CHARACTERS = 400_000


class Filler:
    """Text, ids and paths drawn from one random source: the same seed, the same bytes."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        count = FILLER_CHARACTERS // 6
        words, glue = rng.choices(WORDS, k=count), rng.choices(GLUE, k=count)
        for index in range(0, count, round(1 / RARE)):
            words[index] = rng.choice(RARE_WORDS)
        self._text = "".join(part for pair in zip(words, glue, strict=True) for part in pair)

    def text(self, characters: int) -> str:
        """Words of exactly this many characters, from a random place."""
        repeats = characters // len(self._text) + 1
        start = self._rng.randrange(len(self._text))
        return (self._text[start:] + self._text * repeats)[:characters]

    def path(self, root: str) -> str:
        """A file under `root`."""
        noun = self._rng.choice(WORDS[20:40])
        return f"{root}/{self._rng.choice(FOLDERS)}/{noun}.py"

    def uuid(self) -> str:
        """A random version 4 UUID."""
        digits = f"{self._rng.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"

    def api_id(self, prefix: str) -> str:
        """An id as Anthropic's API makes them, such as `msg_01...`."""
        return f"{prefix}_01{''.join(self._rng.choices(BASE62, k=22))}"

    def agent_id(self) -> str:
        """The id of a subagent: `a` and 16 hex digits."""
        return f"a{self._rng.getrandbits(64):016x}"


def iso(milliseconds: int) -> str:
    """A time since 1970 as transcripts write it: UTC, to the millisecond."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03d}Z"
