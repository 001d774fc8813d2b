"""A first index that a second process helps with."""

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.content.libraries import CACHING, write
from token_tracking.counting import encoding_tokens_many
from token_tracking_server.content import sharing
from token_tracking_server.content.preparing import Prepared, Preparer
from token_tracking_server.content.roots import FoundFile, Roots
from token_tracking_server.content.second_process import SecondProcess

DOCUMENTS = 60


@pytest.fixture
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Roots:
    monkeypatch.setattr(sharing, "_WORTH_A_PROCESS", 1)
    monkeypatch.setattr(sharing, "BATCH", 4)
    for number in range(DOCUMENTS):
        write(tmp_path, f"guides/n{number}.md", f"# Number {number}\n\n{CACHING}")
    write(tmp_path, "guides/binary.md", b"\0")
    return Roots([tmp_path])


def preparer(roots: Roots) -> Preparer:
    return Preparer(roots, encoding_tokens_many)


def by_path(batches: Any) -> dict[str, Prepared]:
    found = [each for batch in batches for each in batch]
    assert len({each.file.path for each in found}) == len(found)
    return {each.file.path: each for each in found}


def test_both_processes_prepare_the_same(roots: Roots, monkeypatch: pytest.MonkeyPatch) -> None:
    files = roots.walk().files
    helped: list[int] = []
    prepare = SecondProcess.prepare

    def noted(self: SecondProcess, batch: list[FoundFile]) -> list[Prepared]:
        helped.append(len(batch))
        return prepare(self, batch)

    alone = by_path(sharing.prepared(preparer(roots), roots, files, alone=True))
    monkeypatch.setattr(SecondProcess, "prepare", noted)
    together = by_path(sharing.prepared(preparer(roots), roots, files, alone=False))
    assert together == alone
    assert len(alone) == DOCUMENTS + 1
    assert alone["guides/binary.md"].reason.startswith("it is binary")
    assert helped


def test_what_a_killed_process_was_given_is_prepared_by_the_first(
    roots: Roots, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = roots.walk().files
    prepare = SecondProcess.prepare

    def killed(self: SecondProcess, batch: list[FoundFile]) -> list[Prepared]:
        self.stop()
        return prepare(self, batch)

    monkeypatch.setattr(SecondProcess, "prepare", killed)
    assert len(by_path(sharing.prepared(preparer(roots), roots, files, alone=False))) == len(files)


def test_who_stops_in_the_middle_leaves_no_process_and_no_thread(roots: Roots) -> None:
    batches = sharing.prepared(preparer(roots), roots, roots.walk().files, alone=False)
    next(batches)
    batches.close()
    names = [thread.name for thread in threading.enumerate()]
    assert "library-second-process" not in names
