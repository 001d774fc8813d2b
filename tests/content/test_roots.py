"""Nothing outside the roots is ever read."""

import os
import socket
from pathlib import Path

import pytest

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


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode on Windows")
def test_a_name_that_is_no_unicode_is_left_out(root: Path) -> None:
    Path(os.fsdecode(os.fsencode(root) + b"/guides/\xff.md")).write_text("x")
    assert list(left_out(Roots([root])).values()) == ["its name is not UTF-8"]
