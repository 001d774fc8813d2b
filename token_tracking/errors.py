"""One root exception; the docstring of each says what happened, its text what to do next."""


class TokenTrackingError(Exception):
    """Something that the user can act on went wrong."""


class InvalidUsageError(TokenTrackingError, ValueError):
    """A usage record is not one: a count is missing, negative, absurd or no integer."""


class InvalidPeriodError(TokenTrackingError, ValueError):
    """A period, date or time zone that was asked for does not exist."""


class InvalidPricesError(TokenTrackingError, ValueError):
    """A price file cannot be read as one."""


class UnknownModelError(TokenTrackingError, LookupError):
    """No price is known for a model at a date."""


class UnknownSessionError(TokenTrackingError, LookupError):
    """No session has this id."""


class UnknownBaselineError(TokenTrackingError, ValueError):
    """A baseline that does not exist was asked for."""


class UnknownMetricError(TokenTrackingError, ValueError):
    """A metric or grouping that does not exist was asked for."""


class StoreError(TokenTrackingError):
    """The database cannot be used: locked, full, read-only, foreign or of a newer version."""


class SourceError(TokenTrackingError):
    """A folder or file that was named cannot be read at all."""
