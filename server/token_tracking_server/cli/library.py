"""`token-tracking library`: what the assistant can search, and what was left out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.table import Table

from token_tracking.counting import encoding_tokens_many
from token_tracking_server.cli import output
from token_tracking_server.cli.output import plain
from token_tracking_server.cli.progress import progress_bar
from token_tracking_server.cli.tables import console
from token_tracking_server.content.catalog import Category, Found
from token_tracking_server.content.library import Library
from token_tracking_server.content.roots import LeftOut
from token_tracking_server.settings import Settings
from token_tracking_server.sizes import Sizes

_NAMED: Final = 20
"""Files that were left out, named on a terminal."""

_MOST: Final = 10_000
_LIMIT: Final = 10


async def run(settings: Settings, query: str | None, *, as_json: bool) -> int:
    """Index what is new, and list the library or search it; 1 where a folder is missing."""
    folders, sizes = settings.library_folders(), Sizes()
    library = Library(folders, settings.catalog_folder(), encoding_tokens_many)
    try:
        with progress_bar("Reading the library", of="files") as library.progress:
            categories = await library.ask(lambda catalog: catalog.categories(), patience=None)
        if query is not None:
            found = await library.ask(lambda catalog: catalog.search(query, None, _LIMIT))
            _show_found(query, found, sizes, as_json=as_json)
            return 0
        left_out = await library.ask(lambda catalog: catalog.left_out(_MOST))
        problems = await library.ask(lambda catalog: catalog.problems(_MOST))
    finally:
        await library.close()
    if as_json:
        output.json(_figures(folders, categories, left_out, problems, sizes))
    else:
        _show(folders, categories, left_out, problems, sizes)
    return 1 if any(not each.path for each in left_out) else 0


def _figures(
    folders: Sequence[Path],
    categories: Sequence[Category],
    left_out: Sequence[LeftOut],
    problems: Sequence[LeftOut],
    sizes: Sizes,
) -> dict[str, Any]:
    return {
        "folders": [str(folder) for folder in folders],
        "documents": sum(each.documents for each in categories),
        "tokens": sizes.scaled(sum(each.tokens for each in categories)),
        "tokens_basis": sizes.basis,
        "categories": {
            each.name: {"documents": each.documents, "tokens": sizes.scaled(each.tokens)}
            for each in categories
        },
        "left_out": {_path(folders, each): each.reason for each in left_out},
        "problems": {_path(folders, each): each.reason for each in problems},
    }


def _show(
    folders: Sequence[Path],
    categories: Sequence[Category],
    left_out: Sequence[LeftOut],
    problems: Sequence[LeftOut],
    sizes: Sizes,
) -> None:
    for folder in folders:
        output.line(plain(f"Library: {folder}"))
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Category", overflow="fold")
    table.add_column("Documents", justify="right")
    table.add_column("Tokens", justify="right")
    for each in categories:
        size = f"{sizes.scaled(each.tokens):,}"
        table.add_row(plain(each.name), f"{each.documents:,}", size)
    table.add_section()
    documents = sum(each.documents for each in categories)
    total = sizes.scaled(sum(each.tokens for each in categories))
    table.add_row("Total", f"{documents:,}", f"{total:,}", style="bold")
    out = console()
    out.print()
    out.print(table)
    out.print(f"For the newest Claude, {sizes.basis}.")
    _show_files("Left out", folders, left_out)
    _show_files("Not as it was meant", folders, problems)


def _show_files(what: str, folders: Sequence[Path], files: Sequence[LeftOut]) -> None:
    for each in files[:_NAMED]:
        output.line(plain(f"{what}: {_path(folders, each)}: {each.reason}."))
    if len(files) > _NAMED:
        output.line(f"{what}: {len(files) - _NAMED:,} more. --json names them all.")


def _path(folders: Sequence[Path], file: LeftOut) -> str:
    return str(folders[file.root] / file.path)


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
