"""Words of a text and of a question."""

import re
import unicodedata
from typing import Final

_CJK: Final = "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
_RUN: Final = re.compile(f"[{_CJK}]+")
_WORD: Final = re.compile(f"[{_CJK}]+|[^\\W_{_CJK}]+")
STOP_WORDS: Final = frozenset(
    ["a", "about", "above", "after", "again", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "because", "been", "before", "being", "both", "but", "by", "can", "could", "did", "do", "does", "doing", "down", "during", "each", "few", "for", "from", "further", "had", "has", "have", "having", "he", "her", "here", "hers", "him", "his", "how", "i", "if", "in", "into", "is", "it", "its", "just", "me", "more", "most", "my", "no", "nor", "not", "now", "of", "off", "on", "once", "only", "or", "other", "our", "out", "over", "own", "same", "she", "should", "so", "some", "such", "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those", "through", "to", "too", "under", "until", "up", "use", "using", "very", "was", "we", "were", "what", "when", "where", "which", "while", "who", "whom", "why", "will", "with", "would", "you", "your"]
)


def searchable(text: str) -> str:
    """A text as it is indexed: runs of CJK characters as their bigrams."""
    text = text.encode("utf-8", "replace").decode().replace("\0", " ")
    if text.isascii():
        return text
    return _RUN.sub(_spaced, unicodedata.normalize("NFKC", text))


def _spaced(run: re.Match[str]) -> str:
    return f" {' '.join(_bigrams(run[0]))} {' '.join(run[0])} "


def _bigrams(run: str) -> list[str]:
    return [run[place : place + 2] for place in range(len(run) - 1)] or [run]


def query_words(query: str) -> list[str]:
    """The words of a question, each once, in its order; stop words out."""
    text = unicodedata.normalize("NFKC", query[:10_000].encode("utf-8", "replace").decode())
    words: dict[str, None] = {}
    for found in _WORD.finditer(text):
        word = found[0]
        parts = _bigrams(word) if _RUN.match(word) else [word]
        words.update(dict.fromkeys(part for part in parts if part.lower() not in STOP_WORDS))
    return list(words)[:40]
