"""Which session is meant: an id, the beginning of one, `current` or `latest`."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from token_tracking.errors import UnknownSessionError
from token_tracking.sources.claude_code import claude_folders
from token_tracking.store import TokenStore
from token_tracking_server.answers.markdown import code
from token_tracking_server.settings import PROJECT_VARIABLE, SESSION_VARIABLE

_SHOWN: Final = 5
_COMPARED: Final = 1_000


class Choice(NamedTuple):
    """A session of the ledger; `reason` says why it is this one, where that is not plain."""

    session_id: str
    reason: str | None = None


async def choose_session(
    store: TokenStore, wanted: str, environment: Mapping[str, str], folders: Sequence[Path] = ()
) -> Choice:
    """The session that is meant. `folders` are those of Claude Code, where they were given.

    Raises:
        UnknownSessionError: there is none, or several; the text says what to ask for.
    """
    wanted = wanted.strip()
    if wanted == "current":
        return await _current(store, environment, folders)
    if wanted == "latest":
        newest = await store.latest_session()
        if newest is None:
            raise UnknownSessionError("The ledger holds no session yet.")
        return Choice(newest, "The session with the newest message of all.")
    found = await store.session_ids(wanted, _COMPARED) if wanted else []
    if wanted in found or len(found) == 1:
        return Choice(wanted if wanted in found else found[0])
    if found:
        several = ", ".join(code(each, 64) for each in found[:_SHOWN])
        raise UnknownSessionError(
            f"Several sessions begin with {code(wanted, 64)}: {several}"
            f"{' and more' if len(found) > _SHOWN else ''}. Give more of the id."
        )
    raise UnknownSessionError(f"There is no session {code(wanted, 64)}. {await _advice(store)}")


async def _current(
    store: TokenStore, environment: Mapping[str, str], folders: Sequence[Path]
) -> Choice:
    session = _value(environment, SESSION_VARIABLE)
    project = _value(environment, PROJECT_VARIABLE)
    if session is not None:
        if session in await store.session_ids(session):
            return Choice(session, f"The current session ({SESSION_VARIABLE}).")
        raise UnknownSessionError(
            f"The current session, {code(session, 64)} ({SESSION_VARIABLE}), is not in the ledger:"
            " no transcript of it was found yet. Ask again after the next answer."
            f" {await _advice(store)}"
        )
    if project is not None:
        newest = await _newest_in(store, project, claude_folders(folders, environment))
        if newest is not None:
            reason = f"The newest session in {code(project, 80)} ({PROJECT_VARIABLE})."
            return Choice(newest, reason)
        raise UnknownSessionError(
            f"The ledger has no session in {code(project, 80)} ({PROJECT_VARIABLE})."
            f" {await _advice(store)}"
        )
    raise UnknownSessionError(
        f"Which session is current is unknown: neither {SESSION_VARIABLE} nor {PROJECT_VARIABLE}"
        f" is set, which Claude Code does for its servers. {await _advice(store)}"
    )


def _value(environment: Mapping[str, str], name: str) -> str | None:
    text = environment.get(name, "").strip()
    return None if not text or text.startswith("${") else text


async def _newest_in(store: TokenStore, project: str, folders: Sequence[Path]) -> str | None:
    wanted = _same_form(project)
    for path in await store.projects():
        if path and _same_form(path) == wanted and (newest := await store.latest_session(path)):
            return newest
    # A session that left the project at its first line still has its transcript in its folder.
    for name in _transcript_names(project, folders):
        if name in await store.session_ids(name, 1):
            return name
    return None


def _same_form(path: str) -> str:
    return os.path.normcase(os.path.realpath(path))


def _transcript_names(project: str, folders: Sequence[Path]) -> Iterator[str]:
    """Names of a project's transcripts, the newest first. Claude Code calls its folder by the
    project's path with `-` for all that is no letter or digit."""
    name = re.sub(r"[^a-zA-Z0-9]", "-", project)
    found: list[tuple[int, str]] = []
    for folder in folders:
        for file in (folder / "projects" / name).glob("*.jsonl"):
            try:
                found.append((file.stat().st_mtime_ns, file.stem))
            except OSError:
                continue
    return (stem for _, stem in sorted(found, reverse=True))


async def _advice(store: TokenStore) -> str:
    newest = ", ".join(code(each, 64) for each in await store.session_ids("", _SHOWN))
    if not newest:
        return "The ledger holds no session yet."
    return f"Give an id or its beginning, or latest. The newest are {newest}."
