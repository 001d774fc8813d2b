"""Why the organisation's reports cannot be had. No text holds the key."""

from token_tracking.errors import TokenTrackingError


class AdminError(TokenTrackingError):
    """The organisation's reports cannot be had."""


class NoAdminKeyError(AdminError):
    """There is no admin key, or it cannot be one."""


class AdminKeyRefusedError(AdminError):
    """The key was refused: it is no admin key, or may not read reports. `status` is 401 where it
    is no valid key at all, and 403 where it may not read this."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class NoAdminReportError(AdminError):
    """There is no such report at this address, or not for what was asked."""


class AdminUnreachableError(AdminError):
    """Nothing answered, or not in time, however often it was tried."""


class AdminAnswerError(AdminError):
    """The answer has another form than the report has."""
