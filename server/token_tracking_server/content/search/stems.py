"""Words to their stems: SQLite's own Porter stemmer, and endings of Cyrillic and Greek words."""

import re
import sqlite3
from collections.abc import Iterable
from typing import Final

from token_tracking_server.content.search.stop_words import STOP_WORDS
from token_tracking_server.content.search.words import forms_of

_REMEMBERED: Final = 100_000
_ENDINGS: Final = re.compile(
    "(?<=[\u0400-\u04ff]{3})(?:[аеиоуыэюяьъії]|(?<=[аеиоуыэюя])[мхв]|(?<=[ое])г(?=о))+$"  # noqa: RUF001
    "|(?<=[\u0370-\u03ff]{3})[αεηιουω]+[ςσν]?$"  # noqa: RUF001
)
"""Accents are folded before."""


class Stems(dict[str, str]):
    """The terms of a word of a text, with a space between two. Made when first asked for; for one
    thread at a time.
    """

    def __init__(self) -> None:
        super().__init__()
        self._memory = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._memory.execute(
            "CREATE VIRTUAL TABLE words USING fts5(word, content='', columnsize=0,"
            " tokenize='porter ascii')"
        )
        self._memory.execute("CREATE VIRTUAL TABLE stems USING fts5vocab(words, instance)")

    def line(self, words: list[str]) -> str:
        """The terms of words in their order, with a space before and after each."""
        self.learn(words)
        return f" {' '.join(map(self.__getitem__, words))} "

    def learn(self, words: Iterable[str]) -> None:
        """Have the terms of these words ready."""
        new = set(words) - self.keys()
        if not new:
            return
        if len(self) + len(new) > _REMEMBERED:
            self.clear()
            new = set(words)
        forms = {word: forms_of(word) for word in new}
        stems = self.stem({form for each in forms.values() for form in each})
        for word, each in forms.items():
            self[word] = " ".join(dict.fromkeys(stems[form] for form in each))

    def stem(self, forms: set[str]) -> dict[str, str]:
        """The stem of each form; a stop word is its own, so that no other word is taken for it."""
        stems = {form: form for form in forms & STOP_WORDS}
        stems |= {form: _ENDINGS.sub("", form) for form in forms if not form.isascii()}
        given = [form for form in forms - stems.keys() if form.isascii()]
        self._memory.execute("INSERT INTO words(words) VALUES ('delete-all')")
        self._memory.execute("BEGIN")
        self._memory.executemany("INSERT INTO words(rowid, word) VALUES (?, ?)", enumerate(given))
        self._memory.execute("COMMIT")
        found = self._memory.execute("SELECT doc, term FROM stems").fetchall()
        return stems | {given[number]: term for number, term in found}
