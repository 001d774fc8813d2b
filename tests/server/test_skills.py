"""The Skills extension (SEP-2640), asked by the official client in both generations."""

import base64
import contextlib
import hashlib
import json
import os
import sys
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp import Client, MCPError, StdioServerParameters
from mcp.types import (
    INVALID_PARAMS,
    BlobResourceContents,
    Request,
    TextResourceContents,
)
from pydantic import RootModel

from tests.server.processes import HANDSHAKE, request, started
from tests.server.skills_server import SkillsServer, skills_server
from token_tracking_server.content.errors import UnreadableContentError
from token_tracking_server.content.roots import Roots
from token_tracking_server.skills.digests import Digests
from token_tracking_server.skills.front_matter import SkillFormatError, read_skill
from token_tracking_server.skills.shelf import MOST_BYTES, MOST_FILES, Shelves
from token_tracking_server.skills.source import Files, NotServed, RootsSource, SkillFile
from token_tracking_server.skills.uris import same_uri, uri_of

Transport = Literal["memory", "stdio"]
Mode = Literal["auto", "legacy"]
everywhere = pytest.mark.parametrize(
    ("transport", "mode"),
    [("memory", "auto"), ("memory", "legacy"), ("stdio", "auto"), ("stdio", "legacy")],
)
both_generations = pytest.mark.parametrize("mode", ["auto", "legacy"])
PNG = b"\x89PNG\r\n\x1a\n\x00\xff\xfe"
LONG_AGO = 1_000_000_000


def write(folder: Path, path: str, content: str | bytes) -> Path:
    """A file below a folder."""
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def write_skill(folder: Path, path: str, more: str = "", **files: str | bytes) -> Path:
    """A skill, named as its folder."""
    name = Path(path).name
    manifest = f"---\nname: {name}\ndescription: What {name} does.\n{more}---\n# {name}\n"
    write(folder, f"{path}/SKILL.md", manifest)
    for file, content in files.items():
        write(folder, f"{path}/{file}", content)
    return folder / path


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    write_skill(
        folder,
        "acme/refunds",
        "license: MIT\nmetadata:\n  version: 1.0\n  tags: [a, 2, true, yes, ~]\n",
        **{
            "scripts/run.py": "print('run')\n",
            "references/FORMS.md": "# Forms\n",
            "assets/logo.png": PNG,
            "assets/deep/data.csv": "a,b\n",
        },
    )
    write_skill(folder, "pdf")
    write(folder, "guides/caching.md", "# No skill\n")
    return folder


def connected(transport: Transport, mode: Mode, *folders: Path) -> Client:
    """The official client of a server of the skills below folders."""
    if transport == "memory":
        return Client(skills_server(*folders), mode=mode)
    arguments = ["-m", "tests.server.skills_server", *map(str, folders)]
    return Client(StdioServerParameters(command=sys.executable, args=arguments), mode=mode)


class _Answer(RootModel[dict[str, Any]]):
    """As it came."""


async def ask(client: Client, method: str, **params: Any) -> dict[str, Any]:
    """What a method of the extension answers."""
    request = Request[dict[str, Any], str](method=method, params=params)
    answer = await client.session.send_request(request, _Answer)
    return {key: value for key, value in answer.root.items() if key != "_meta"}


async def refused(client: Client, method: str, **params: Any) -> str:
    """The text of its error, which must be that of wrong parameters."""
    with pytest.raises(MCPError) as caught:
        await ask(client, method, **params)
    assert caught.value.code == INVALID_PARAMS
    return str(caught.value)


async def unreadable(client: Client, uri: str) -> str:
    """Why a resource is not read."""
    with pytest.raises(MCPError) as caught:
        await client.read_resource(uri)
    assert caught.value.code == INVALID_PARAMS
    return str(caught.value)


async def bytes_of(client: Client, uri: str) -> bytes:
    """A resource's bytes, as a host makes them of the answer."""
    (content,) = (await client.read_resource(uri, cache_mode="bypass")).contents
    assert content.uri == uri
    if isinstance(content, TextResourceContents):
        return content.text.encode()
    assert isinstance(content, BlobResourceContents)
    return base64.b64decode(content.blob)


async def uris_of(client: Client) -> list[str]:
    """The skills of the first page."""
    return [each["uri"] for each in (await ask(client, "skills/list"))["skills"]]


@contextlib.asynccontextmanager
async def asked(source: Any) -> AsyncGenerator[Client]:
    """A client of a source of the test's own."""
    async with Client(SkillsServer(source)) as client:
        yield client


@everywhere
async def test_a_skill_is_listed_with_all_its_files(
    library: Path, transport: Transport, mode: Mode
) -> None:
    async with connected(transport, mode, library) as client:
        if mode == "auto":  # the official client hides it from an older session
            extensions = client.server_capabilities.extensions
            assert extensions == {"io.modelcontextprotocol/skills": {"directoryRead": True}}
        assert client.server_capabilities.resources is not None
        listed = await ask(client, "skills/list")
        root = "skill://acme/refunds"
        contents = {
            "SKILL.md": (library / "acme/refunds/SKILL.md").read_bytes(),
            "assets/deep/data.csv": b"a,b\n",
            "assets/logo.png": PNG,
            "references/FORMS.md": b"# Forms\n",
            "scripts/run.py": b"print('run')\n",
        }
        entry = {
            "uri": f"{root}/SKILL.md",
            "frontmatter": {
                "name": "refunds",
                "description": "What refunds does.",
                "license": "MIT",
                "metadata": {"version": 1.0, "tags": ["a", 2, True, "yes", None]},
            },
            "resources": [
                {
                    "uri": f"{root}/{path}",
                    "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
                    "size": len(content),
                }
                for path, content in contents.items()
            ],
        }
        first, second = listed.pop("skills")
        assert first == entry
        assert second["uri"] == "skill://pdf/SKILL.md"
        envelope = {"resultType": "complete", "ttlMs": 60_000, "cacheScope": "private"}
        assert listed == (envelope if mode == "auto" else {})

        got = await ask(client, "skills/get", uri=f"{root}/SKILL.md")
        assert got.pop("skill") == entry
        assert got == (envelope if mode == "auto" else {})
        for path, content in contents.items():
            assert await bytes_of(client, f"{root}/{path}") == content


def test_older_clients_are_told_of_the_extension_too(library: Path) -> None:
    command = [sys.executable, "-m", "tests.server.skills_server", str(library)]
    with started(os.environ, command) as server:
        server.send(HANDSHAKE, request(1, "skills/get", uri="skill://pdf/SKILL.md"))
        result = server.reply()["result"]
        assert result["protocolVersion"] == "2025-11-25"
        assert result["capabilities"]["extensions"] == {
            "io.modelcontextprotocol/skills": {"directoryRead": True}
        }
        assert server.reply()["result"].keys() == {"skill"}


@everywhere
async def test_folders_are_read_level_by_level(
    library: Path, transport: Transport, mode: Mode
) -> None:
    async def children(uri: str) -> list[tuple[str, str, str, int | None]]:
        answer = await ask(client, "resources/directory/read", uri=uri)
        assert answer.get("resultType") == ("complete" if mode == "auto" else None)
        return [
            (each["uri"].removeprefix(uri), each["name"], each["mimeType"], each.get("size"))
            for each in answer["resources"]
        ]

    async with connected(transport, mode, library) as client:
        assert await children("skill://acme") == [("/refunds", "refunds", "inode/directory", None)]
        size = (library / "acme/refunds/SKILL.md").stat().st_size
        assert await children("skill://acme/refunds") == [
            ("/SKILL.md", "refunds", "text/markdown", size),
            ("/assets", "assets", "inode/directory", None),
            ("/references", "references", "inode/directory", None),
            ("/scripts", "scripts", "inode/directory", None),
        ]
        assert await children("skill://acme/refunds/assets") == [
            ("/deep", "deep", "inode/directory", None),
            ("/logo.png", "logo.png", "image/png", len(PNG)),
        ]
        assert await children("skill://acme/refunds/scripts") == [
            ("/run.py", "run.py", "text/x-python", 13)
        ]


async def test_texts_are_texts_and_other_files_are_blobs(library: Path) -> None:
    write(library, "pdf/latin.txt", "naïve".encode("latin-1"))
    write(library, "pdf/noted", "no ending\n")
    write(library, "pdf/some.bin", b"\x00\x01")
    write(library, "pdf/empty.md", b"")
    write(library, "pdf/bom.md", b"\xef\xbb\xbf# Marked\r\n")
    write(library, "pdf/archive.tar.gz", b"\x1f\x8b")
    async with connected("memory", "auto", library) as client:
        found: dict[str, tuple[type, str | None]] = {}
        for each in (await ask(client, "skills/get", uri="skill://pdf/SKILL.md"))["skill"][
            "resources"
        ]:
            (content,) = (await client.read_resource(each["uri"])).contents
            found[each["uri"].removeprefix("skill://pdf/")] = (type(content), content.mime_type)
            assert len(await bytes_of(client, each["uri"])) == each["size"]
    assert found == {
        "SKILL.md": (TextResourceContents, "text/markdown"),
        "archive.tar.gz": (BlobResourceContents, "application/octet-stream"),
        "bom.md": (TextResourceContents, "text/markdown"),
        "empty.md": (TextResourceContents, "text/markdown"),
        "latin.txt": (BlobResourceContents, "text/plain"),
        "noted": (TextResourceContents, "text/plain"),
        "some.bin": (BlobResourceContents, "application/octet-stream"),
    }


async def test_a_skill_within_a_skill_is_one_of_its_own_and_part_of_the_other(
    tmp_path: Path,
) -> None:
    write_skill(tmp_path, "outer", **{"inner/SKILL.md": "", "zeta.md": "z"})
    write_skill(tmp_path, "outer/inner", **{"tool.py": "t"})
    write_skill(tmp_path, "outer/inner/outer")
    async with connected("memory", "auto", tmp_path) as client:
        listed = (await ask(client, "skills/list"))["skills"]
    files = {
        each["uri"]: [file["uri"].removeprefix("skill://outer/") for file in each["resources"]]
        for each in listed
    }
    innermost = ["inner/outer/SKILL.md"]
    inner = ["inner/SKILL.md", *innermost, "inner/tool.py"]
    assert files == {
        "skill://outer/SKILL.md": ["SKILL.md", *inner, "zeta.md"],
        "skill://outer/inner/SKILL.md": inner,
        "skill://outer/inner/outer/SKILL.md": innermost,
    }


async def test_a_folder_that_is_a_skill_itself_can_be_the_library(tmp_path: Path) -> None:
    folder = write_skill(tmp_path, "pdf", **{"inner/x.md": "x"})
    write_skill(tmp_path, "pdf/more")
    async with connected("memory", "auto", folder) as client:
        assert await uris_of(client) == ["skill://pdf/SKILL.md", "skill://pdf/more/SKILL.md"]
        assert await bytes_of(client, "skill://pdf/inner/x.md") == b"x"


async def test_names_with_spaces_signs_and_emoji_are_read_by_the_uri_that_was_given(
    tmp_path: Path,
) -> None:
    names = ["a b.md", "100%.md", "%41.md", "🚀.md", "a#b.md", "a?b.md", "a:b@c.md", "é&=+,;.md"]
    write_skill(tmp_path, "Tëam one/pdf", **dict.fromkeys(names, "found"))
    async with connected("memory", "auto", tmp_path) as client:
        (skill,) = (await ask(client, "skills/list"))["skills"]
        assert skill["uri"] == "skill://T%C3%ABam%20one/pdf/SKILL.md"
        uris = [each["uri"] for each in skill["resources"]]
        assert len(uris) == len(names) + 1
        for uri in uris:
            assert uri.isascii()
            assert "#" not in uri
            assert "?" not in uri
            assert await bytes_of(client, uri)
        # As a model may write it.
        answer = await client.read_resource("skill://Tëam one/pdf/🚀.md")
        assert isinstance(answer.contents[0], TextResourceContents)
        folder = await ask(client, "resources/directory/read", uri="skill://T%C3%ABam%20one/pdf")
        assert {each["uri"] for each in folder["resources"]} == set(uris)
        assert "100%.md" in {each["name"] for each in folder["resources"]}


OUTSIDE = [
    "skill://acme/refunds/../../secret.md",
    "skill://acme/refunds/%2e%2e/%2e%2e/secret.md",
    "skill://acme/refunds/..%2f..%2fsecret.md",
    "skill://acme/refunds/..%5c..%5csecret.md",
    "skill://acme/refunds/%252e%252e/secret.md",
    "skill://acme/refunds/scripts/../SKILL.md",
    "skill://acme/refunds/./SKILL.md",
    "skill://acme/refunds//SKILL.md",
    "skill://../secret.md",
    "skill:///etc/passwd",
    "skill:////etc/passwd",
    "skill://",
    "skill://C:/secret.md",
    "skill://acme/refunds/SKILL.md%00.png",
    "skill://acme/refunds/SKILL.md#top",
    "skill://acme/refunds/SKILL.md?x=1",
    "skill://acme/refunds/skill.md",
    "skill://acme/refunds/%ff",
    "skill://acme/refunds/%",
    "skill://guides/caching.md",
    "skill://acme/refunds/.hidden.md",
    "skill://linking/link.md",
    "skill://linking/linked/secret.md",
    "skill://acme/refunds/" + "a/" * 10_000 + "x.md",
    "skill://acme/refunds/" + "x" * 60_000,
]


@pytest.mark.parametrize("uri", OUTSIDE, ids=range(len(OUTSIDE)))
async def test_nothing_but_files_of_skills_is_read(library: Path, uri: str) -> None:
    secret = write(library.parent, "secret.md", "secret")
    write(library, "acme/refunds/.hidden.md", "hidden")
    linking = write_skill(library, "linking")
    (linking / "link.md").symlink_to(secret)
    (linking / "linked").symlink_to(library.parent)
    async with connected("memory", "auto", library) as client:
        for text in (
            await unreadable(client, uri),
            await refused(client, "skills/get", uri=uri),
            await refused(client, "resources/directory/read", uri=uri + "/x"),
        ):
            assert "skills/list names every skill" in text or "is a link out of" in text
            assert len(text) < 500
        (first, _) = (await ask(client, "skills/list"))["skills"]
        assert len(first["resources"]) == 5


async def test_a_wrong_kind_of_uri_is_told_what_is_right(library: Path) -> None:
    async with connected("memory", "auto", library) as client:
        manifest, folder = "skill://pdf/SKILL.md", "skill://pdf"
        assert await refused(client, "skills/get", uri=folder) == (
            "skill://pdf is no skill: name the SKILL.md of one, as skills/list does."
        )
        script = "skill://acme/refunds/scripts/run.py"
        assert "is no skill: name the SKILL.md" in await refused(client, "skills/get", uri=script)
        assert await refused(client, "resources/directory/read", uri=manifest) == (
            "skill://pdf/SKILL.md is a file, and no directory: read it with resources/read."
        )
        assert await unreadable(client, folder) == (
            "skill://pdf is a folder: list it with resources/directory/read."
        )
        assert await refused(client, "skills/get", uri="skill://no/SKILL.md") == (
            "No skill is served at skill://no/SKILL.md. skills/list names every skill with its"
            " files; copy a URI from it as it is."
        )
        slash = await ask(client, "resources/directory/read", uri=folder + "/")
        assert slash == await ask(client, "resources/directory/read", uri=folder)
        for method in ("skills/get", "resources/directory/read"):
            await refused(client, method)
            await refused(client, method, uri=1)


async def test_many_skills_come_in_pages(tmp_path: Path) -> None:
    for number in range(120):
        write_skill(tmp_path, f"s{number:03}", **{f"{number % 7}.md": "x"})
    write_skill(tmp_path, "wide", **{f"files/{number:03}.md": "x" for number in range(110)})
    async with connected("memory", "auto", tmp_path) as client:
        for method, params, key, count in (
            ("skills/list", {}, "skills", 121),
            ("resources/directory/read", {"uri": "skill://wide/files"}, "resources", 110),
        ):
            seen: list[str] = []
            cursor: dict[str, str] = {}
            while True:
                page = await ask(client, method, **params, **cursor)
                seen += [each["uri"] for each in page[key]]
                if "nextCursor" not in page:
                    break
                assert len(page[key]) == 50
                cursor = {"cursor": page["nextCursor"]}
            assert len(seen) == len(set(seen)) == count
            assert seen == sorted(seen)
            assert "first page" in await refused(client, method, **params, cursor="nonsense")
            # A cursor of another list.
            other = "skill://wide" if method == "resources/directory/read" else None
            if other:
                text = await refused(client, method, uri=other, **cursor)
                assert "not of this list" in text


MANIFESTS: list[tuple[str, str | bytes, str]] = [
    ("none", "# Just text\n", "does not begin with front matter"),
    ("late", "\n---\nname: late\ndescription: x\n---\n", "does not begin with front matter"),
    ("open", "---\nname: open\ndescription: x\n", "no line of --- ends it"),
    ("nameless", "---\ndescription: x\n---\n", "the front matter has no name: add name: nameless"),
    ("number", "---\nname: 7\ndescription: x\n---\n", "the front matter has no name"),
    ("other", "---\nname: another\ndescription: x\n---\n", "they must be the same"),
    ("Upper", "---\nname: Upper\ndescription: x\n---\n", "is no name of a skill"),
    ("two--hyphens", "---\nname: two--hyphens\ndescription: x\n---\n", "is no name of a skill"),
    ("-first", "---\nname: -first\ndescription: x\n---\n", "is no name of a skill"),
    ("a b", "---\nname: a b\ndescription: x\n---\n", "is no name of a skill"),
    ("é", "---\nname: é\ndescription: x\n---\n", "is no name of a skill"),
    ("x" * 65, f"---\nname: {'x' * 65}\ndescription: x\n---\n", "at most 64"),
    ("silent", "---\nname: silent\n---\n", "has no description"),
    ("blank", "---\nname: blank\ndescription: '  '\n---\n", "has no description"),
    ("long", f"---\nname: long\ndescription: {'x' * 1025}\n---\n", "1,025 characters: hosts take"),
    ("colon", "---\nname: colon\ndescription: Use it when: now\n---\n", "in quotes"),
    ("bomb", "---\nname: bomb\na: &a [1]\nb: *a\ndescription: x\n---\n", "aliases"),
    ("deep", f"---\nname: deep\na: {'[' * 5000}{']' * 5000}\n---\n", "nested too deep"),
    ("twice", "---\nname: twice\nname: twice\ndescription: x\n---\n", "stands there twice"),
    ("tag", "---\nname: tag\ndescription: !!python/name:os.x y\n---\n", "is no tag"),
    ("key", "---\nname: key\ndescription: x\n? [1]\n: 2\n---\n", "unhashable key"),
    ("maybe", "---\nname: maybe\ndescription: x\na: !!bool yes\n---\n", "neither true nor false"),
    ("infinite", "---\nname: infinite\ndescription: x\na: !!float inf\n---\n", "JSON"),
    ("seq", "---\nname: seq\ndescription: x\nv: !!seq abc\n---\n", "is not what stands there"),
    ("map", "---\nname: map\ndescription: x\nv: !!map abc\n---\n", "is not what stands there"),
    ("str", "---\nname: str\ndescription: x\nv: !!str [a]\n---\n", "expected a scalar"),
    (
        "hex",
        f"---\nname: hex\ndescription: x\nv: !!int 0x{'9' * 50_000}\n---\n",
        "is no whole number that can be read",
    ),
    ("latin", "---\nname: latin\ndescription: naïve\n---\n".encode("latin-1"), "not UTF-8"),
]


@pytest.mark.parametrize(
    ("folder", "manifest", "reason"), MANIFESTS, ids=lambda each: str(each)[:9]
)
async def test_a_skill_that_hosts_would_refuse_is_left_out_and_says_why(
    library: Path, folder: str, manifest: str | bytes, reason: str
) -> None:
    write(library, f"bad/{folder}/SKILL.md", manifest)
    server = skills_server(library)
    async with Client(server) as client:
        assert await uris_of(client) == ["skill://acme/refunds/SKILL.md", "skill://pdf/SKILL.md"]
        uri = uri_of(f"bad/{folder}/SKILL.md")
        assert reason in await refused(client, "skills/get", uri=uri)
        assert reason in await unreadable(client, uri)
    (problem,) = await server.skills.problems()
    assert problem.path == f"bad/{folder}"
    assert reason in problem.reason


async def test_what_a_skill_says_of_itself_is_typed_as_yaml_1_2() -> None:
    manifest = b"""\xef\xbb\xbf---\r
name: typed\r
description: >\r
  Two\r
  lines.\r
on: 2026-11-21\r
yes: NO\r
"1": 0o17\r
2: [0x1F, 1_000, 12:30, .5, 1., -0, +3, 1e3, .inf, .nan]\r
3: [~, null, True, 'true', "5"]\r
long: %s\r
huge: 9e99\r
<<: {x: 1}\r
---\r
""" % (b"9" * 400)
    assert read_skill(manifest, "typed") == {
        "name": "typed",
        "description": "Two lines.\n",
        "on": "2026-11-21",
        "yes": "NO",
        "1": 15,
        "2": [31, "1_000", "12:30", 0.5, 1.0, 0, 3, 1000.0, ".inf", ".nan"],
        "3": [None, None, True, "true", "5"],
        "long": "9" * 400,
        "huge": 9e99,
        "<<": {"x": 1},
    }


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_a_skill_or_none(data: bytes) -> None:
    for block in (data, b"---\nname: x\ndescription: y\n" + data + b"\n---\n"):
        with contextlib.suppress(SkillFormatError):
            fields = read_skill(block, "x")
            assert fields["name"] == "x"
            json.dumps(fields, allow_nan=False)


def test_a_line_separator_ends_no_line_of_the_front_matter() -> None:
    manifest = '---\nname: x\ndescription: y\nsep: "a\u2028b"\n---'
    assert read_skill(manifest.encode(), "x")["sep"] == "a\u2028b"


async def test_a_large_number_reaches_the_client(tmp_path: Path) -> None:
    write_skill(tmp_path, "big", f"number: {'9' * 300}\n")
    async with connected("memory", "legacy", tmp_path) as client:
        (skill,) = (await ask(client, "skills/list"))["skills"]
    assert skill["frontmatter"]["number"] == int("9" * 300)


async def test_the_limits_are_allowed_and_one_more_is_not(tmp_path: Path) -> None:
    write_skill(tmp_path, "most", **{f"{number:03}.md": "" for number in range(MOST_FILES - 1)})
    write_skill(tmp_path, "more", **{f"{number:03}.md": "" for number in range(MOST_FILES)})
    manifest = (write_skill(tmp_path, "heavy") / "SKILL.md").stat().st_size
    for number in range(5):
        size = (MOST_BYTES - manifest) // 5 + ((MOST_BYTES - manifest) % 5 if number == 4 else 0)
        with write(tmp_path, f"heavy/{number}.bin", b"").open("wb") as file:
            file.truncate(size)
    server = skills_server(tmp_path)
    async with Client(server) as client:
        assert await uris_of(client) == ["skill://heavy/SKILL.md", "skill://most/SKILL.md"]
        text = await unreadable(client, "skill://more/000.md")
        assert text == (
            "No file of a skill is served at skill://more/000.md, as skill://more is not served: it"
            " has 513 files, and hosts take 512 of a skill: remove some, or put them into an"
            " archive."
        )
        write(tmp_path, "heavy/one.byte", b"x")
        assert await uris_of(client) == ["skill://most/SKILL.md"]
        text = await refused(client, "skills/get", uri="skill://heavy/SKILL.md")
        assert "its files have 16,777,217 bytes, and hosts take 16,777,216 of a skill" in text


async def test_what_is_left_out_of_a_skill_is_reported(library: Path) -> None:
    secret = write(library.parent, "secret.md", "---\nname: gone\ndescription: x\n---\n")
    (library / "pdf/link.md").symlink_to(secret)
    (library / "gone").mkdir()
    (library / "gone/SKILL.md").symlink_to(secret)
    with write(library, "pdf/huge.bin", b"").open("wb") as file:
        file.truncate(1 << 30)
    write(library, "pdf/Skill.MD", "misspelt")
    write(library, "lower/skill.md", "---\nname: lower\ndescription: x\n---\n")
    write(library, "lower/in/SKILL.md", "---\nname: in\ndescription: x\n---\n")
    server = skills_server(library)
    async with Client(server) as client:
        assert await uris_of(client) == [
            "skill://acme/refunds/SKILL.md",
            "skill://lower/in/SKILL.md",
        ]
        text = await refused(client, "skills/get", uri="skill://pdf/SKILL.md")
        assert "pdf/huge.bin belongs to it and is left out (it has 1,073,741,824 bytes" in text
        assert "1,073,741,824 bytes" in await unreadable(client, "skill://pdf/huge.bin")
    reasons = {each.path: each.reason for each in await server.skills.problems()}
    assert reasons.keys() == {
        "pdf",
        "pdf/link.md",
        "pdf/huge.bin",
        "pdf/Skill.MD",
        "gone/SKILL.md",
    }
    assert reasons["pdf/Skill.MD"] == "hosts look for SKILL.md: rename it if it is to be one"


async def test_a_skill_without_one_of_its_files_is_not_served_at_all(
    library: Path, tmp_path: Path
) -> None:
    (library / "pdf/shared.md").symlink_to(library / "guides/caching.md")
    other = tmp_path / "other"
    write_skill(other, "acme/refunds", **{"back\\slash.md": "x"})
    server = skills_server(library, other)
    async with Client(server) as client:
        assert await uris_of(client) == ["skill://acme/refunds/SKILL.md"]
        text = await unreadable(client, "skill://pdf/SKILL.md")
        assert "pdf/shared.md belongs to it and is left out (it is a link" in text


@both_generations
async def test_a_file_of_what_is_no_skill_any_more_is_not_read(library: Path, mode: Mode) -> None:
    script = "skill://acme/refunds/scripts/run.py"
    manifest = library / "acme/refunds/SKILL.md"
    async with connected("memory", mode, library) as client:
        await uris_of(client)
        assert await bytes_of(client, script) == b"print('run')\n"
        text = manifest.read_bytes()
        manifest.unlink()
        assert "No file of a skill is served" in await unreadable(client, script)
        manifest.write_bytes(text)
        assert await bytes_of(client, script) == b"print('run')\n"
        manifest.write_bytes(text.replace(b"refunds", b"another"))
        assert "they must be the same" in await unreadable(client, script)


def test_whatever_is_wrong_with_one_skill_the_others_are_served(library: Path) -> None:
    class Failing(RootsSource):
        def read(self, file: SkillFile, limit: int) -> bytes:
            if file.path == "pdf/SKILL.md":
                raise MemoryError("too much")
            return super().read(file, limit)

    shelf = Shelves(Failing(Roots([library]))).build()
    assert list(shelf.skills) == ["skill://acme/refunds/SKILL.md"]
    assert shelf.problems == (NotServed("pdf", "it cannot be read (MemoryError): too much"),)


async def test_of_two_folders_with_the_same_skill_the_first_is_served(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write_skill(first, "pdf", **{"a.md": "a"})
    write_skill(first, "deep/down/inner")
    write_skill(second, "pdf", **{"b.md": "b"})
    write_skill(second, "pdf/nested")
    write_skill(second, "deep")
    write_skill(second, "other")
    server = skills_server(first, second, tmp_path / "missing")
    async with Client(server) as client:
        assert await uris_of(client) == [
            "skill://deep/down/inner/SKILL.md",
            "skill://other/SKILL.md",
            "skill://pdf/SKILL.md",
        ]
        assert await bytes_of(client, "skill://pdf/a.md") == b"a"
        assert "an earlier library folder" in await unreadable(client, "skill://pdf/b.md")
    problems = await server.skills.problems()
    assert [each.path for each in problems] == ["deep", "pdf", "pdf/nested"]


@both_generations
async def test_a_changed_file_is_sent_as_it_is_and_its_entry_follows(
    library: Path, mode: Mode
) -> None:
    script = "skill://acme/refunds/scripts/run.py"
    file = library / "acme/refunds/scripts/run.py"
    async with connected("memory", mode, library) as client:

        async def listed() -> dict[str, Any]:
            got = await ask(client, "skills/get", uri="skill://acme/refunds/SKILL.md")
            return {each["uri"]: each for each in got["skill"]["resources"]}

        for content in (b"print('ran')\n", b"longer than it was\n", b"", PNG):
            before = (await listed())[script]
            file.write_bytes(content)
            sent = await bytes_of(client, script)
            assert sent == content
            after = (await listed())[script]
            assert after != before
            assert after["digest"] == f"sha256:{hashlib.sha256(sent).hexdigest()}"
            assert after["size"] == len(sent)
        file.unlink()
        assert "is gone" in await unreadable(client, script)
        assert script not in await listed()
        assert "No file of a skill" in await unreadable(client, script)
        write(library, "acme/refunds/new.md", "new")
        assert "skill://acme/refunds/new.md" in await listed()


class Watched(RootsSource):
    """Skills below a folder whose changes are told by the test, and not looked for."""

    def __init__(self, folder: Path) -> None:
        self.version = 0
        self.reads: list[str] = []
        self.before_reading: Callable[[str], None] = lambda _: None
        super().__init__(Roots([folder]), lambda: self.version)

    def read(self, file: SkillFile, limit: int) -> bytes:
        self.reads.append(file.path)
        self.before_reading(file.path)
        return super().read(file, limit)


async def test_while_nothing_is_told_nothing_is_looked_at(library: Path) -> None:
    source = Watched(library)
    async with asked(source) as client:
        before = await uris_of(client)
        write_skill(library, "new")
        source.reads.clear()
        assert await uris_of(client) == before
        assert source.reads == []
        source.version += 1
        assert "skill://new/SKILL.md" in await uris_of(client)


async def test_a_digest_that_no_longer_holds_makes_the_server_look_anew(library: Path) -> None:
    source = Watched(library)
    uri = "skill://acme/refunds/scripts/run.py"
    async with asked(source) as client:
        await uris_of(client)
        (library / "acme/refunds/scripts/run.py").write_bytes(b"print('won')\n")
        sent = hashlib.sha256(await bytes_of(client, uri)).hexdigest()
        got = await ask(client, "skills/get", uri="skill://acme/refunds/SKILL.md")
        assert f"sha256:{sent}" in {each["digest"] for each in got["skill"]["resources"]}


async def test_a_file_that_goes_while_it_is_read_spoils_no_other_skill(library: Path) -> None:
    source = Watched(library)
    script = library / "acme/refunds/scripts/run.py"
    source.before_reading = lambda path: (
        script.unlink(missing_ok=True) if path.endswith("run.py") else None
    )
    async with asked(source) as client:
        assert await uris_of(client) == ["skill://pdf/SKILL.md"]
        text = await refused(client, "skills/get", uri="skill://acme/refunds/SKILL.md")
        assert "is gone" in text
        source.version += 1
        assert len(await uris_of(client)) == 2


async def test_a_manifest_that_changes_between_two_readings_is_asked_for_again(
    library: Path,
) -> None:
    source = Watched(library)
    changing = iter(range(10))

    def change(path: str) -> None:
        if path == "pdf/SKILL.md":
            number = next(changing)
            write_skill(library, "pdf", f"license: {number}\n")

    source.before_reading = change
    async with asked(source) as client:
        assert await uris_of(client) == ["skill://acme/refunds/SKILL.md"]
        source.before_reading = lambda _: None
        source.version += 1
        assert len(await uris_of(client)) == 2


async def test_a_file_that_goes_after_it_was_listed_is_refused(library: Path) -> None:
    source = Watched(library)
    async with asked(source) as client:
        await uris_of(client)
        (library / "acme/refunds/scripts/run.py").unlink()
        text = await unreadable(client, "skill://acme/refunds/scripts/run.py")
        assert "is gone" in text
        with (library / "acme/refunds/references/FORMS.md").open("wb") as file:
            file.truncate(1 << 30)
        text = await unreadable(client, "skill://acme/refunds/references/FORMS.md")
        assert "more than 16,777,216 bytes" in text


def test_files_are_read_again_only_when_they_changed(library: Path) -> None:
    def age() -> None:
        for file in library.rglob("*"):
            os.utime(file, (LONG_AGO, LONG_AGO))

    age()
    source = Watched(library)
    shelves = Shelves(source)
    first = shelves.build()
    assert len(source.reads) == 8  # six files, and each SKILL.md once more for what it says
    source.reads.clear()
    assert shelves.build() == first
    assert source.reads == []

    (library / "pdf/SKILL.md").write_text("---\nname: pdf\ndescription: Other.\n---\n")
    second = shelves.build()
    assert set(source.reads) == {"pdf/SKILL.md"}
    assert second.skills["skill://pdf/SKILL.md"].front_matter["description"] == "Other."
    # It was just written: the next change could have the same time.
    source.reads.clear()
    shelves.build()
    assert source.reads == ["pdf/SKILL.md"]
    age()
    shelves.build()
    source.reads.clear()
    shelves.build()
    assert source.reads == []


def test_digests_of_files_that_are_gone_are_forgotten() -> None:
    reads: list[str] = []

    def read(file: SkillFile) -> bytes:
        reads.append(file.path)
        return b"x"

    digests = Digests(read)
    files = [SkillFile(0, name, 1, 1, name) for name in ("a", "b")]
    for _ in range(2):
        for file in files:
            digests.of(file)
    assert reads == ["a", "b"]
    digests.keep_only(files[:1])
    for file in files:
        digests.of(file)
    assert reads == ["a", "b", "b"]


async def test_a_source_that_fails_is_an_error_of_the_server(library: Path) -> None:
    class Broken(RootsSource):
        def files(self) -> Files:
            raise OSError("a disk of secrets")

    async with asked(Broken(Roots([library]))) as client:
        with pytest.raises(MCPError) as caught:
            await ask(client, "skills/list")
    assert "secrets" not in str(caught.value)


def test_a_reader_that_refuses_leaves_its_skill_out(library: Path) -> None:
    class Locked(RootsSource):
        def read(self, file: SkillFile, limit: int) -> bytes:
            raise UnreadableContentError("locked")

    shelf = Shelves(Locked(Roots([library]))).build()
    assert not shelf.skills
    assert {each.reason for each in shelf.problems} == {"locked"}


@given(st.lists(st.text(min_size=1), min_size=1, max_size=5))
def test_a_uri_names_its_path_and_nothing_else(parts: list[str]) -> None:
    parts = [part for part in parts if part.isprintable() and not set(part) & set("/\\")]
    path = "/".join(part for part in parts if part not in {".", ".."}) or "x"
    uri = uri_of(path)
    assert same_uri(uri) == uri
    assert uri.isascii()
    assert not set("?#\\% ") & set(uri.replace("%", "", uri.count("%")))


@given(st.text())
def test_any_text_can_be_asked_for(text: str) -> None:
    for uri in (text, f"skill://{text}"):
        assert same_uri(same_uri(uri)) == same_uri(uri)
