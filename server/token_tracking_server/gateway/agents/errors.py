"""Why there is no such agent."""

from token_tracking_server.gateway.errors import GatewayError, NotFoundError


class UnknownAgentError(NotFoundError):
    """No agent has this name; the text lists those that there are."""


class AgentConflictError(GatewayError):
    """The agent exists, or stands in the configuration, which the API does not change."""

    status = 409
    anthropic_type = openai_type = "invalid_request_error"
