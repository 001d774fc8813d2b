"""Why a conversation got no answer. What an upstream said is quoted; keys never are."""

from token_tracking_server.gateway.errors import GatewayError, NotFoundError


class UnknownConversationError(NotFoundError):
    """No conversation has this id: it never existed, or was deleted."""


class ConversationBusyError(GatewayError):
    """Another message of the conversation is being answered."""

    status = 409


class AnswerFailedError(GatewayError):
    """The upstream refused, broke off, or wrote no text. The conversation is as it was."""

    status = 502


class UpstreamLimitError(AnswerFailedError):
    """The upstream's own rate limit is reached."""

    status = 429


class UpstreamOverloadedError(AnswerFailedError):
    """The upstream has more to do than it can."""

    status = 503
