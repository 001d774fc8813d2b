"""The library as resources: its categories, and every document and section by its URI."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from mcp.server import MCPServer
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.types import Resource

from token_tracking.errors import TokenTrackingError
from token_tracking_server.callers import Caller
from token_tracking_server.content.errors import BadContentUriError, UnknownContentError
from token_tracking_server.content.names import one_line
from token_tracking_server.content.uris import SCHEME, Address, parse_uri
from token_tracking_server.contents import Contents

TEMPLATE: Final = "content://{category}/{+id}"
_MARKDOWN: Final = "text/markdown"
_LONGEST_NAME: Final = 80
_LISTING_SECONDS: Final = 5.0
"""A client lists resources when it starts: it hears of what is found later."""


def add_content_template(server: MCPServer[Any], contents: Contents) -> None:
    """Name the template; what it names is read by `read_content`."""

    @server.resource(TEMPLATE, name="content", title="Library content", mime_type=_MARKDOWN)
    async def document(category: str, id: str) -> str:  # noqa: A002  # pyright: ignore[reportUnusedFunction]
        """A document of the library; #section after the id names one section."""
        return await _text(contents, Address(category, id), Caller())


def is_content(uri: str) -> bool:
    """Whether a URI is one of the library's."""
    return uri[: len(SCHEME)].lower() == SCHEME


async def read_content(
    contents: Contents, uri: str, caller: Caller
) -> Iterable[ReadResourceContents]:
    """A category's documents, a document, or a section.

    Raises:
        ResourceNotFoundError: there is none, or the URI is not valid; the text says what to do.
        ResourceError: it cannot be read now.
    """
    try:
        text = await _text(contents, parse_uri(uri), caller)
    except (BadContentUriError, UnknownContentError) as error:
        raise ResourceNotFoundError(str(error)) from error
    except TokenTrackingError as error:
        raise ResourceError(str(error)) from error
    return [ReadResourceContents(content=text, mime_type=_MARKDOWN)]


async def _text(contents: Contents, address: Address, caller: Caller) -> str:
    if address.document_id:
        return await contents.ask(lambda content: content.text(address, caller))
    return await contents.ask(lambda content: content.listing(address.category))


async def category_resources(contents: Contents) -> Sequence[Resource]:
    """A resource for each category, and none for a document: the list stays small."""
    categories = await contents.ask(
        lambda content: content.library.ask(
            lambda catalog: catalog.categories(), patience=_LISTING_SECONDS
        )
    )
    return [
        Resource(
            uri=Address(each.name).ascii_uri,
            name=one_line(each.name, _LONGEST_NAME),
            description=f"{each.documents:,} document{'s' * (each.documents != 1)}",
            mime_type=_MARKDOWN,
        )
        for each in categories
    ]
