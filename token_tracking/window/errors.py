"""What can go wrong with a conversation or its window; each text says what to do next."""

from token_tracking.errors import TokenTrackingError


class InvalidConversationError(TokenTrackingError, ValueError):
    """The messages are no conversation that a provider would take."""


class InvalidBudgetError(TokenTrackingError, ValueError):
    """A budget contradicts itself, or the model's limits."""


class DoesNotFitError(TokenTrackingError):
    """Nothing that may be left out makes the request fit its budget."""


class ContentStoreError(TokenTrackingError):
    """The store of cleared content cannot be used, or does not hold what was asked for."""


class SummaryError(TokenTrackingError):
    """A summariser failed; the history was kept."""
