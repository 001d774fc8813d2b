"""The methods of the extension, over the shelf of skills."""

from collections.abc import Hashable, Sequence
from mimetypes import MimeTypes
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import anyio
from anyio.to_thread import run_sync
from mcp import MCPError
from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.server.extension import Extension, MethodBinding
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver.exceptions import ResourceNotFoundError
from mcp.types import INVALID_PARAMS, PaginatedRequestParams, RequestParams, Resource
from mcp.types.version import MODERN_PROTOCOL_VERSIONS

from token_tracking_server.content.errors import UnreadableContentError
from token_tracking_server.paging import page_of
from token_tracking_server.skills.source import MANIFEST, NotServed, SkillSource
from token_tracking_server.skills.uris import same_uri, uri_of

if TYPE_CHECKING:
    from token_tracking_server.skills.shelf import ServedFile, Shelf, Shelves, Skill

FRESH_MS: Final = 60_000
"""How long a host may take an entry as current. When a file changed meanwhile, its digest tells the
host, which then asks again."""

_FOLDER_TYPE: Final = "inode/directory"
_MARKDOWN: Final = "text/markdown"
_LONGEST_SHOWN: Final = 200

# Python's own table: the system's differs from machine to machine.
_TYPES: Final = MimeTypes(filenames=())
for _ending in (".md", ".markdown", ".mdx"):
    _TYPES.add_type(_MARKDOWN, _ending)
for _ending in (".yaml", ".yml"):
    _TYPES.add_type("application/yaml", _ending)


class GetSkillParams(RequestParams):
    """Parameters of `skills/get`."""

    uri: str


class ReadDirectoryParams(PaginatedRequestParams):
    """Parameters of `resources/directory/read`."""

    uri: str


class Skills(Extension):
    """Serves the skills of a source: pass it to `MCPServer(extensions=[skills],
    middleware=[skills.announce])`, and let the server's `read_resource` hand over to `read` what
    begins with `skill://`."""

    identifier = "io.modelcontextprotocol/skills"

    def __init__(self, source: SkillSource) -> None:
        self._source = source
        self._shelves: Shelves | None = None
        self._shelf: Shelf | None = None
        self._state: Hashable | None = None
        # A thread that works for a cancelled request is waited for: the next would meet it.
        self._busy = anyio.Lock()

    def settings(self) -> dict[str, Any]:
        """What the capability says: folders can be read."""
        return {"directoryRead": True}

    def methods(self) -> Sequence[MethodBinding]:
        """`skills/list`, `skills/get` and `resources/directory/read`, in every revision."""
        return (
            MethodBinding("skills/list", PaginatedRequestParams, self._list),
            MethodBinding("skills/get", GetSkillParams, self._get),
            MethodBinding("resources/directory/read", ReadDirectoryParams, self._read_directory),
        )

    async def announce(
        self, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        """Middleware that names the extension to clients of the 2025 revisions too: the SDK leaves
        it out there, as only 2026-07-28 knows extensions, and their hosts would never ask."""
        result = await call_next(ctx)
        if ctx.method != "initialize" or not isinstance(result, dict):
            return result
        named = {"extensions": {self.identifier: self.settings()}}
        return {**result, "capabilities": {**result["capabilities"], **named}}

    async def problems(self) -> tuple[NotServed, ...]:
        """The skills, and files of skills, that hosts get no sight of, and what to do about it."""
        return (await self._current()).problems

    async def read(self, uri: str) -> list[ReadResourceContents]:
        """A file of a skill, as it is now: text, or bytes that are no UTF-8.

        Raises:
            ResourceNotFoundError: no skill has it, or it cannot be read.
        """
        wanted, shelf = same_uri(uri), self._shelf
        # What is known already is not looked for again: a host reads one file after another.
        if shelf is None or wanted not in shelf.files or not await self._is_current(shelf, wanted):
            shelf = await self._current()
        served = shelf.files.get(wanted)
        if served is None:
            raise ResourceNotFoundError(_no_file(shelf, uri))
        try:
            async with self._busy:
                data, digest = await run_sync(self._opened().read, served)
        except UnreadableContentError as error:
            raise ResourceNotFoundError(f"{served.uri}: {error}") from error
        if digest != served.digest:
            # The host sees that it is another file, and asks for the entry anew.
            self._shelf = None
        content = data.decode() if digest.is_text else data
        return [ReadResourceContents(content, _type_of(served._replace(digest=digest)))]

    async def _is_current(self, shelf: "Shelf", uri: str) -> bool:
        async with self._busy:
            current = await run_sync(self._opened().is_current, shelf, shelf.files[uri])
        if not current:
            self._shelf = None
        return current

    async def _current(self) -> "Shelf":
        async with self._busy:
            state = self._source.state()
            shelf = self._shelf
            if shelf is None or state is None or state != self._state:
                shelf = self._shelf = await run_sync(self._opened().build)
                self._state = state
            return shelf

    def _opened(self) -> "Shelves":
        # It needs a YAML parser, which takes time to import: a client waits for the server's start.
        from token_tracking_server.skills.shelf import Shelves  # noqa: PLC0415

        if self._shelves is None:
            self._shelves = Shelves(self._source)
        return self._shelves

    async def _list(
        self, context: ServerRequestContext[Any, Any], params: PaginatedRequestParams
    ) -> dict[str, Any]:
        shelf = await self._current()
        page = page_of(list(shelf.skills), str, params.cursor, of="skills")
        skills = [_entry(shelf.skills[uri]) for uri in page.entries]
        return {"skills": skills, **_next(page.next_cursor), **_cached(context)}

    async def _get(
        self, context: ServerRequestContext[Any, Any], params: GetSkillParams
    ) -> dict[str, Any]:
        shelf = await self._current()
        skill = shelf.skills.get(same_uri(params.uri))
        if skill is None:
            raise _invalid(_no_skill(shelf, params.uri), params.uri)
        return {"skill": _entry(skill), **_cached(context)}

    async def _read_directory(
        self, _: ServerRequestContext[Any, Any], params: ReadDirectoryParams
    ) -> dict[str, Any]:
        shelf = await self._current()
        uri = same_uri(params.uri.rstrip("/"))
        children = shelf.folders.get(uri)
        if children is None:
            raise _invalid(_no_folder(shelf, params.uri), params.uri)
        page = page_of(children, str, params.cursor, of=uri)
        resources = [_resource(shelf, child) for child in page.entries]
        dumped = [
            each.model_dump(by_alias=True, mode="json", exclude_none=True) for each in resources
        ]
        return {"resources": dumped, **_next(page.next_cursor)}


def _entry(skill: "Skill") -> dict[str, Any]:
    return {
        "uri": skill.uri,
        "frontmatter": skill.front_matter,
        "resources": [
            {
                "uri": file.uri,
                "digest": f"sha256:{file.digest.sha256}",
                "size": file.digest.size,
            }
            for file in skill.files
        ],
    }


def _next(cursor: str | None) -> dict[str, str]:
    return {} if cursor is None else {"nextCursor": cursor}


def _cached(context: ServerRequestContext[Any, Any]) -> dict[str, Any]:
    """Required since 2026-07-28, and unknown before. The user's own files are nobody else's."""
    if context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        return {}
    return {"ttlMs": FRESH_MS, "cacheScope": "private"}


def _resource(shelf: "Shelf", uri: str) -> Resource:
    served, skill = shelf.files.get(uri), shelf.skills.get(uri)
    name = unquote(uri.rpartition("/")[2])
    if served is None:
        return Resource(uri=uri, name=name, mime_type=_FOLDER_TYPE)
    if skill is not None:
        about = skill.front_matter
        return Resource(
            uri=uri,
            name=about["name"],
            description=about["description"],
            mime_type=_MARKDOWN,
            size=served.digest.size,
        )
    return Resource(uri=uri, name=name, mime_type=_type_of(served), size=served.digest.size)


def _type_of(served: "ServedFile") -> str:
    known, encoding = _TYPES.guess_type(served.file.path)
    if known is not None and encoding is None:
        return known
    return "text/plain" if served.digest.is_text else "application/octet-stream"


def _no_skill(shelf: "Shelf", uri: str) -> str:
    if same_uri(uri) in shelf.files or same_uri(uri.rstrip("/")) in shelf.folders:
        return f"{_shown(uri)} is no skill: name the {MANIFEST} of one, as skills/list does."
    return _unknown(shelf, uri, "No skill is served at")


def _no_file(shelf: "Shelf", uri: str) -> str:
    if same_uri(uri.rstrip("/")) in shelf.folders:
        return f"{_shown(uri)} is a folder: list it with resources/directory/read."
    return _unknown(shelf, uri, "No file of a skill is served at")


def _no_folder(shelf: "Shelf", uri: str) -> str:
    if same_uri(uri) in shelf.files:
        return f"{_shown(uri)} is a file, and no directory: read it with resources/read."
    return _unknown(shelf, uri, "No folder of a skill is served at")


def _unknown(shelf: "Shelf", uri: str, what: str) -> str:
    problem = shelf.problem_of(same_uri(uri))
    if problem is not None:
        reason = problem.reason.rstrip(".")
        return f"{what} {_shown(uri)}, as {uri_of(problem.path)} is not served: {reason}."
    return (
        f"{what} {_shown(uri)}. skills/list names every skill with its files; copy a URI from it as"
        " it is."
    )


def _shown(uri: str) -> str:
    return uri if len(uri) <= _LONGEST_SHOWN else f"{uri[:_LONGEST_SHOWN]}…"


def _invalid(text: str, uri: str) -> MCPError:
    return MCPError(INVALID_PARAMS, text, {"uri": _shown(uri)})
