"""Nothing outside the roots is ever read."""

import contextlib
import os
import socket
from pathlib import Path

import pytest

from token_tracking_server.content import descriptors
from token_tracking_server.content.errors import UnreadableContentError
from token_tracking_server.content.roots import LARGEST, Roots

needs_links = pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    (folder / "guides").mkdir(parents=True)
    (folder / "guides" / "a.md").write_text("# A\n")
    (tmp_path / "secret.md").write_text("secret")
    return folder


def found(roots: Roots) -> list[str]:
    return sorted(each.path for each in roots.walk().files)


def left_out(roots: Roots) -> dict[str, str]:
    return {each.path: each.reason for each in roots.walk().left_out}


def test_markdown_and_all_of_a_skill_are_found(root: Path) -> None:
    skill = root / "skills" / "pdf"
    (skill / "scripts").mkdir(parents=True)
    for name in ("SKILL.md", "scripts/fill.py", ".hidden", "scripts/.env"):
        (skill / name).write_text("x")
    for name in ("guides/b.MD", "guides/c.txt", "guides/.d.md", "top.md"):
        (root / name).write_text("x")
    for name in (".git", "node_modules", "__pycache__"):
        (root / name).mkdir()
        (root / name / "x.md").write_text("x")
    assert found(Roots([root])) == [
        "guides/a.md",
        "guides/b.MD",
        "skills/pdf/SKILL.md",
        "skills/pdf/scripts/fill.py",
        "top.md",
    ]


@needs_links
def test_links_out_of_the_root_are_left_out_and_said(root: Path) -> None:
    (root / "guides" / "link.md").symlink_to(root.parent / "secret.md")
    (root / "guides" / "inside.md").symlink_to(root / "guides" / "a.md")
    (root / "guides" / "folder").symlink_to(root.parent)
    (root / "guides" / "loop").symlink_to(root)
    (root / "guides" / "dangling.md").symlink_to(root / "nothing.md")
    roots = Roots([root])
    assert found(roots) == ["guides/a.md"]
    assert set(left_out(roots)) == {"guides/link.md", "guides/folder"}
    assert "link out of the library" in left_out(roots)["guides/link.md"]


@needs_links
@pytest.mark.parametrize("path", ["guides/link.md", "folder/secret.md", "guides/inside.md"])
def test_a_link_is_not_followed_even_if_asked(root: Path, path: str) -> None:
    (root / "guides" / "link.md").symlink_to(root.parent / "secret.md")
    (root / "guides" / "inside.md").symlink_to(root / "guides" / "a.md")
    (root / "folder").symlink_to(root.parent)
    with pytest.raises(UnreadableContentError, match="links are not followed"):
        Roots([root]).read_bytes(0, path)


@pytest.mark.parametrize(
    "path",
    [
        "../secret.md",
        "guides/../../secret.md",
        "/etc/passwd",
        "",
        ".",
        "guides/..",
        "guides/\0",
        "a\\..\\b",
    ],
)
def test_a_path_out_of_the_root_is_refused(root: Path, path: str) -> None:
    with pytest.raises(UnreadableContentError):
        Roots([root]).read_bytes(0, path)


@needs_links
def test_the_root_itself_may_be_a_link(root: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    roots = Roots([link])
    assert found(roots) == ["guides/a.md"]
    assert roots.read_bytes(0, "guides/a.md") == b"# A\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_is_no_file_is_never_waited_for(root: Path) -> None:
    os.mkfifo(root / "guides" / "pipe.md")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(root / "guides")  # the name of a socket must be short
        server.bind("socket.md")
        os.chdir(here)
        roots = Roots([root])
        assert set(left_out(roots)) == {"guides/pipe.md", "guides/socket.md"}
        for name in ("pipe", "socket"):
            with pytest.raises(UnreadableContentError):
                roots.read_bytes(0, f"guides/{name}.md")
    with pytest.raises(UnreadableContentError):
        roots.read_bytes(0, "guides")


def test_a_file_of_a_gigabyte_is_left_out_unread(root: Path) -> None:
    with (root / "guides" / "huge.md").open("wb") as file:
        file.truncate(1_000_000_000)
    roots = Roots([root])
    assert found(roots) == ["guides/a.md"]
    assert left_out(roots) == {
        "guides/huge.md": f"it has 1,000,000,000 bytes, and {LARGEST:,} are the most"
    }
    with pytest.raises(UnreadableContentError, match="split it"):
        roots.read_bytes(0, "guides/huge.md")


def test_a_folder_that_is_missing_holds_nothing(root: Path) -> None:
    roots = Roots([root.parent / "nowhere", root])
    assert [(each.root, each.path) for each in roots.walk().files] == [(1, "guides/a.md")]
    assert left_out(roots) == {"": "there is no such folder"}
    with pytest.raises(UnreadableContentError, match="is gone"):
        roots.read_bytes(0, "guides/a.md")


needs_bytes = pytest.mark.skipif(os.name == "nt", reason="names are Unicode on Windows")


@needs_bytes
@pytest.mark.parametrize("kind", ["file", "link", "folder"])
def test_a_name_that_is_no_unicode_is_left_out_by_a_name_that_can_be_stored(
    root: Path, kind: str
) -> None:
    path = Path(os.fsdecode(os.fsencode(root) + b"/guides/\xff"))
    reason = "its name is not UTF-8"
    if kind == "file":
        path.with_suffix(".md").write_text("x")
    elif kind == "folder":
        path.mkdir()
        (path / "a.md").write_text("x")
    else:
        path.symlink_to("/")
        reason = "it is a link out of the library; name its target's folder as a library of its own"
    roots = Roots([root])
    assert found(roots) == ["guides/a.md"]
    left = left_out(roots)
    assert list(left.values()) == [reason]
    assert all(
        name.encode().startswith("guides/\N{REPLACEMENT CHARACTER}".encode()) for name in left
    )


@needs_bytes
def test_a_root_whose_name_is_no_unicode_is_read(root: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(root.parent) + b"/\xff"))
    root.rename(odd)
    roots = Roots([odd])
    assert found(roots) == ["guides/a.md"]
    assert roots.names == ("library",)
    with pytest.raises(UnreadableContentError) as gone:
        roots.read_bytes(0, "guides/b.md")
    assert "\N{REPLACEMENT CHARACTER}" in str(gone.value)


@needs_bytes
def test_a_backslash_is_given_as_the_reason(root: Path) -> None:
    (root / "guides" / "a\\b.md").write_text("x")
    assert left_out(Roots([root])) == {
        "guides/a\\b.md": "its path has a backslash, which a URI cannot name: rename it"
    }


@needs_links
def test_a_root_is_named_as_the_folder_that_links_to_it_lead_to(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    assert Roots([root]).names == Roots([link]).names == ("library",)
    named = root.parent / "named"
    named.mkdir()
    monkeypatch.chdir(root / "guides")
    assert Roots([Path(".."), named, Path("/")]).names == ("library", "named", "library")


@needs_bytes
def test_a_root_that_no_uri_can_name_is_the_library(root: Path) -> None:
    assert Roots([root.rename(root.parent / "a\\b")]).names == ("library",)


def test_the_home_of_nobody_is_a_folder_that_is_missing() -> None:
    roots = Roots([Path("~no-such-user/x")])
    assert left_out(roots) == {"": "there is no such folder"}


@needs_links
def test_a_link_that_cannot_be_resolved_ends_no_look(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "guides" / "odd").symlink_to("/")
    resolved = os.path.realpath

    def realpath(path: str) -> str:
        if str(path).endswith("odd"):
            raise OSError(5, "Input/output error")
        return resolved(path)

    monkeypatch.setattr(os.path, "realpath", realpath)
    roots = Roots([root])
    assert found(roots) == ["guides/a.md"]
    assert left_out(roots) == {"guides/odd": "it is a link that leads nowhere (Input/output error)"}


@needs_links
def test_a_folder_that_becomes_a_link_while_it_is_looked_at_is_not_followed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "guides" / "x").mkdir()
    (root.parent / "out").mkdir()
    (root.parent / "out" / "secret.md").write_text("secret")
    scandir = os.scandir

    def swap(handle: int) -> "os._ScandirIterator[str]":  # pyright: ignore[reportPrivateUsage]
        listed = scandir(handle)
        if (root / "guides" / "x").is_dir() and os.fstat(handle).st_ino == guides:
            entries = list(listed)
            (root / "guides" / "x").rmdir()
            (root / "guides" / "x").symlink_to(root.parent / "out")
            listed.close()
            return contextlib.nullcontext(entries)  # pyright: ignore[reportReturnType]
        return listed

    guides = (root / "guides").stat().st_ino
    monkeypatch.setattr(os, "scandir", swap)
    monkeypatch.setattr(os, "supports_fd", {*os.supports_fd, swap})
    roots = Roots([root])
    assert found(roots) == ["guides/a.md"]
    assert (root / "guides" / "x").is_symlink()


@needs_links
def test_where_no_folder_can_be_opened_no_link_is_followed_either(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descriptors, "_BELOW", False)
    (root / "guides" / "link.md").symlink_to(root.parent / "secret.md")
    (root / "folder").symlink_to(root.parent)
    roots = Roots([root])
    assert found(roots) == ["guides/a.md"]
    assert len(roots.walk().visited) == 2
    assert roots.read_bytes(0, "guides/a.md") == b"# A\n"
    for path in ("guides/link.md", "folder/secret.md"):
        with pytest.raises(UnreadableContentError, match="links are not followed"):
            roots.read_bytes(0, path)


def test_folders_that_stand_too_deep_are_left_out_and_take_no_more_descriptors(
    root: Path,
) -> None:
    deep = root.joinpath(*("d" * 70))
    deep.mkdir(parents=True)
    (deep / "x.md").write_text("x")
    (deep.parents[9] / "y.md").write_text("y")
    (deep.parents[8] / "z.md").write_text("z")
    roots = Roots([root])
    assert found(roots) == ["d/" * 60 + "y.md", "guides/a.md"]
    assert left_out(roots) == {
        "/".join("d" * 61): "it stands more than 60 folders deep: move it up"
    }
    assert roots.read_bytes(0, "d/" * 70 + "x.md") == b"x"


def test_the_folders_that_were_looked_into_are_told(root: Path) -> None:
    for name in (".git", "node_modules", "guides/deep"):
        (root / name).mkdir()
    real = os.path.realpath(root)
    visited = Roots([root]).walk().visited
    assert [each.path for each in visited] == [real, f"{real}/guides", f"{real}/guides/deep"]
    about = (root / "guides").stat()
    assert visited[1][1:] == (about.st_dev, about.st_ino)
