"""What can be wrong with a question to the library. The text says what to do next."""

from token_tracking.errors import TokenTrackingError


class ContentError(TokenTrackingError):
    """The library cannot answer."""


class BadContentUriError(ContentError):
    """The text is no `content://` URI."""


class UnknownContentError(ContentError):
    """The library has no such document, section or category."""


class UnreadableContentError(ContentError):
    """The file is gone, cannot be read, or is no text."""
