"""`token-tracking library`: what the assistant can search, and what was left out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from rich.table import Table

from token_tracking_server.cli import output
from token_tracking_server.cli.output import counted, plain
from token_tracking_server.cli.progress import progress_bar
from token_tracking_server.cli.tables import console
from token_tracking_server.content.catalog import Catalog, Category, Found
from token_tracking_server.content.library import Library
from token_tracking_server.content.roots import LeftOut
from token_tracking_server.settings import Settings
from token_tracking_server.sizes import Sizes
from token_tracking_server.skills.shelf import Shelves
from token_tracking_server.skills.source import RootsSource

_NAMED: Final = 20
"""Files that were left out, named on a terminal."""

_MOST: Final = 10_000
_LIMIT: Final = 10


class Looked(NamedTuple):
    """The library after a look at its folders."""

    folders: Sequence[Path]
    categories: Sequence[Category]
    left_out: Sequence[LeftOut]
    problems: Sequence[LeftOut]
    found: Sequence[Found] = ()
    skill_problems: Sequence[tuple[str, str]] = ()

    @property
    def said(self) -> str:
        """How much it holds."""
        documents = sum(each.documents for each in self.categories)
        categories = len(self.categories)
        noun = "category" if categories == 1 else "categories"
        return f"{counted(documents, 'document')} in {categories:,} {noun}"

    @property
    def missing(self) -> list[str]:
        """A sentence for each folder that is none."""
        return [
            f"{plain(str(self.folders[each.root]))}: {each.reason}."
            for each in self.left_out
            if not each.path
        ]

    @property
    def files_left_out(self) -> int:
        """Files that are there and no documents."""
        return sum(bool(each.path) for each in self.left_out)


async def looked_at(settings: Settings, query: str | None = None) -> Looked:
    """Index what is new, with a progress bar; what the library holds, and what a query finds.

    Raises:
        ContentError: the catalog cannot be used.
    """
    library = Library(settings.library_folders(), settings.catalog_folder())

    def answer(catalog: Catalog) -> Looked:
        return Looked(
            library.roots.folders,
            catalog.categories(),
            catalog.left_out(_MOST),
            catalog.problems(_MOST),
            [] if query is None else catalog.search(query, None, _LIMIT),
        )

    try:
        with progress_bar("Reading the library", of="files") as library.progress:
            looked = await library.ask(answer, patience=None)
        left_out = {(each.path, each.reason) for each in looked.left_out}
        skills = Shelves(RootsSource(library.roots)).build().problems
        return looked._replace(skill_problems=[each for each in skills if each not in left_out])
    finally:
        await library.close()


async def run(settings: Settings, query: str | None, *, as_json: bool) -> int:
    """List the library or search it; 1 where a folder of it is missing."""
    library, sizes = await looked_at(settings, query), Sizes()
    if query is not None:
        _show_found(query, library.found, sizes, as_json=as_json)
        return 0
    if as_json:
        output.json(_figures(library, sizes))
    else:
        _show(library, sizes)
    return 1 if library.missing else 0


def _figures(library: Looked, sizes: Sizes) -> dict[str, Any]:
    return {
        "folders": [str(folder) for folder in library.folders],
        "documents": sum(each.documents for each in library.categories),
        "tokens": sizes.scaled(sum(each.tokens for each in library.categories)),
        "tokens_basis": sizes.basis,
        "categories": {
            each.name: {"documents": each.documents, "tokens": sizes.scaled(each.tokens)}
            for each in library.categories
        },
        "left_out": {_path(library, each): each.reason for each in library.left_out},
        "problems": {_path(library, each): each.reason for each in library.problems},
        "skills_not_served": dict(library.skill_problems),
    }


def _show(library: Looked, sizes: Sizes) -> None:
    for folder in library.folders:
        output.line(plain(f"Library: {folder}"))
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Category", overflow="fold")
    table.add_column("Documents", justify="right")
    table.add_column("Tokens", justify="right")
    for each in library.categories:
        size = f"{sizes.scaled(each.tokens):,}"
        table.add_row(plain(each.name), f"{each.documents:,}", size)
    table.add_section()
    documents = sum(each.documents for each in library.categories)
    total = sizes.scaled(sum(each.tokens for each in library.categories))
    table.add_row("Total", f"{documents:,}", f"{total:,}", style="bold")
    out = console()
    out.print()
    out.print(table)
    out.print(f"For the newest Claude, {sizes.basis}.")
    _show_files("Left out", library, library.left_out)
    _show_files("Not as it was meant", library, library.problems)
    for path, reason in library.skill_problems[:_NAMED]:
        output.line(plain(f"Not served as a skill: {path}: {reason}."))
    if not library.categories and not library.missing:
        output.line("It holds no Markdown yet: put guides below a folder of their category.")


def _show_files(what: str, library: Looked, files: Sequence[LeftOut]) -> None:
    for each in files[:_NAMED]:
        output.line(plain(f"{what}: {_path(library, each)}: {each.reason}."))
    if len(files) > _NAMED:
        output.line(f"{what}: {len(files) - _NAMED:,} more. --json names them all.")


def _path(library: Looked, file: LeftOut) -> str:
    return str(library.folders[file.root] / file.path)


def _show_found(query: str, found: Sequence[Found], sizes: Sizes, *, as_json: bool) -> None:
    if as_json:
        output.json(
            [
                {
                    "uri": each.uri,
                    "titles": each.titles,
                    "tokens": sizes.scaled(each.tokens),
                    "tokens_basis": sizes.basis,
                    "matched": each.matched,
                }
                for each in found
            ]
        )
        return
    if not found:
        output.line(plain(f"Nothing matches {query!r}."))
    for each in found:
        output.line(plain(f"{each.uri} ({sizes.scaled(each.tokens):,} tokens)"))
        output.line(plain(f"    {each.titles}: {', '.join(each.matched)}"))
    if found:
        output.line(f"For the newest Claude, {sizes.basis}.")
