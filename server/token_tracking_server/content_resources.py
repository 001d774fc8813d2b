"""The library as resources: its categories, and every document and section by its URI."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from mcp.server import MCPServer
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.types import Resource

from token_tracking.errors import TokenTrackingError
from token_tracking_server.answers.markdown import LIMIT
from token_tracking_server.content.catalog import Category
from token_tracking_server.content.errors import BadContentUriError, UnknownContentError
from token_tracking_server.content.outline import Entry
from token_tracking_server.content.uris import SCHEME, Address, parse_uri
from token_tracking_server.just_in_time import JustInTime

TEMPLATE: Final = "content://{category}/{+id}"
_MARKDOWN: Final = "text/markdown"
_LISTING_SECONDS: Final = 1.0
"""A client lists resources when it starts: it hears of what is found later."""


def add_content_template(server: MCPServer[Any], content: JustInTime) -> None:
    """Name the template; what it names is read by `read_content`."""

    @server.resource(TEMPLATE, name="content", title="Library content", mime_type=_MARKDOWN)
    async def document(category: str, id: str) -> str:  # noqa: A002  # pyright: ignore[reportUnusedFunction]
        """A document of the library; #section after the id names one section."""
        return await _text(content, Address(category, id))


def is_content(uri: str) -> bool:
    """Whether a URI is one of the library's."""
    return uri[: len(SCHEME)].lower() == SCHEME


async def read_content(content: JustInTime, uri: str) -> Iterable[ReadResourceContents]:
    """A category's documents, a document, or a section.

    Raises:
        ResourceNotFoundError: there is none, or the URI is not valid; the text says what to do.
        ResourceError: it cannot be read now.
    """
    try:
        text = await _text(content, parse_uri(uri))
    except (BadContentUriError, UnknownContentError) as error:
        raise ResourceNotFoundError(str(error)) from error
    except TokenTrackingError as error:
        raise ResourceError(str(error)) from error
    return [ReadResourceContents(content=text, mime_type=_MARKDOWN)]


async def _text(content: JustInTime, address: Address) -> str:
    if address.document_id:
        return await content.text(address)
    entries = await content.library.ask(
        lambda catalog: catalog.documents(address.category, LIMIT // 20)
    )
    sums = await content.library.ask(lambda catalog: catalog.categories())
    return _listing(content, next(each for each in sums if each.name == address.category), entries)


async def category_resources(content: JustInTime) -> Sequence[Resource]:
    """A resource for each category, and none for a document: the list stays small."""
    categories = await content.library.ask(
        lambda catalog: catalog.categories(), patience=_LISTING_SECONDS
    )
    return [
        Resource(
            uri=Address(each.name).uri,
            name=each.name,
            description=f"{each.documents:,} document{'s' * (each.documents != 1)}",
            mime_type=_MARKDOWN,
        )
        for each in categories
    ]


def _listing(content: JustInTime, category: Category, entries: Sequence[Entry]) -> str:
    """The documents of a category, as many as an answer holds."""
    size = content.scaled(category.tokens)
    lines = [
        f"# {category.name}: {category.documents:,} documents, {size:,} tokens ({content.basis})"
    ]
    used = len(lines[0])
    for entry in entries:
        line = f"- {entry.uri} | {entry.title} | {content.scaled(entry.tokens):,} tokens"
        if used + len(line) > LIMIT - 120:
            break
        used += len(line) + 1
        lines.append(line)
    rest = category.documents - len(lines) + 1
    if rest:
        lines.append(f"- {rest:,} more: search_content with category={category.name!r} finds them")
    return "\n".join(lines)
