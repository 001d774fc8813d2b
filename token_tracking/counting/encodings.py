"""tiktoken's encodings, made from the packed vocabularies: tiktoken itself would fetch them."""

import threading
from itertools import count
from typing import TYPE_CHECKING, Final, Literal

from token_tracking.counting.errors import CountingError
from token_tracking.counting.packed import packed_file, unpack

if TYPE_CHECKING:
    from tiktoken import Encoding

EncodingName = Literal["o200k_base", "cl100k_base"]

_O200K: Final = (
    # One group is the same alternation to a matcher, and takes a fifth off the time: all but the
    # look-ahead in it is matched in one go.
    r"(?:[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+)|\s+(?!\S)|\s+"
)
_CL100K: Final = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
PATTERNS: Final[dict[EncodingName, str]] = {"o200k_base": _O200K, "cl100k_base": _CL100K}
"""How a text is cut into pieces before their bytes are merged: as in tiktoken_ext.openai_public."""

_loaded: dict[EncodingName, "Encoding"] = {}
_loading: Final = threading.Lock()


def encoding_named(name: EncodingName) -> "Encoding":
    """The encoding, loaded at its first use (about 0.3 s) and kept. It knows no special tokens:
    `<|endoftext|>` in a text is text.

    Raises:
        CountingError: its file is missing or damaged.
    """
    found = _loaded.get(name)
    if found is None:
        with _loading:
            found = _loaded.get(name) or _load(name)
            _loaded[name] = found
    return found


def _load(name: EncodingName) -> "Encoding":
    from tiktoken import Encoding  # noqa: PLC0415 (start-up: most commands count nothing)

    try:
        ranks = dict(zip(unpack(packed_file(name).read_bytes()), count()))
    except (OSError, ValueError) as error:
        raise CountingError(
            f"The vocabulary {name} that came with token-tracking is unusable ({error})."
            " Install it again: pip install --force-reinstall token-tracking."
        ) from error
    return Encoding(name, pat_str=PATTERNS[name], mergeable_ranks=ranks, special_tokens={})
