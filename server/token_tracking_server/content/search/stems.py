"""Words to their stems: SQLite's own Porter stemmer, and endings of Cyrillic and Greek words."""

import re
import sqlite3
from typing import Final

from token_tracking_server.content.search.stop_words import STOP_WORDS
from token_tracking_server.content.search.words import forms_of

_REMEMBERED: Final = 100_000
_ENDINGS: Final = re.compile(
    "(?<=[\u0400-\u04ff]{3})(?:[аеиоуыэюяьъії]|(?<=[аеиоуыэюя])[мхв]|(?<=[ое])г(?=о))+$"  # noqa: RUF001
    "|(?<=[\u0370-\u03ff]{3})[αεηιουω]+[ςσν]?$"
)
"""Accents are folded before."""


class Stems:
    """The terms of words. For one thread at a time."""

    def __init__(self) -> None:
        self._terms: dict[str, str] = {}
        self._telling: dict[str, str] = {}
        self._memory = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._memory.execute(
            "CREATE VIRTUAL TABLE words USING fts5(word, content='', columnsize=0,"
            " tokenize='porter ascii')"
        )
        self._memory.execute("CREATE VIRTUAL TABLE stems USING fts5vocab(words, instance)")

    def line(self, words: list[str]) -> str:
        """The terms of words in their order, with a space before and after each."""
        if not self._terms.keys() >= {*words}:
            self._learn(set(words))
        return f" {' '.join(map(self._terms.__getitem__, words))} "

    def telling_lines(self, lines: list[list[str]]) -> list[str]:
        """The same for many lines, without stop words."""
        try:
            return [self._telling_line(each) for each in lines]
        except KeyError:
            self._learn(set[str]().union(*lines))
            return [self._telling_line(each) for each in lines]

    def _telling_line(self, words: list[str]) -> str:
        return f" {' '.join(filter(None, map(self._telling.__getitem__, words)))} "

    def _learn(self, words: set[str]) -> None:
        # Not `words - keys()`: that takes a copy of all that is known.
        new = words.difference(self._terms)
        if len(self._terms) + len(new) > _REMEMBERED:
            self._terms.clear()
            self._telling.clear()
            new = words
        forms = {word: forms_of(word) for word in new}
        stems = self.stem({form for each in forms.values() for form in each})
        for word, each in forms.items():
            terms = " ".join(dict.fromkeys([stems[form] for form in each]))
            self._terms[word] = terms
            self._telling[word] = "" if terms in STOP_WORDS else terms

    def stem(self, forms: set[str]) -> dict[str, str]:
        """The stem of each form; a stop word is its own, so that no other word is taken for it."""
        stems = {form: form for form in forms if form in STOP_WORDS or form.isdecimal()}
        stems |= {form: _ENDINGS.sub("", form) for form in forms if not form.isascii()}
        given = [form for form in forms - stems.keys() if form.isascii()]
        if not given:
            return stems
        self._memory.execute("BEGIN")
        self._memory.executemany("INSERT INTO words(rowid, word) VALUES (?, ?)", enumerate(given))
        found = self._memory.execute("SELECT doc, term FROM stems").fetchall()
        self._memory.execute("ROLLBACK")
        return stems | {given[number]: term for number, term in found}
