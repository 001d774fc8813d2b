"""The organisation's own reports of usage and cost, which the ledger is compared with."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from token_tracking.admin.client import AdminClient
    from token_tracking.admin.comparison import (
        Comparison,
        DayModel,
        compare,
        ledger_days,
        unsettled_days,
        with_users,
    )
    from token_tracking.admin.credentials import Credentials
    from token_tracking.admin.errors import (
        AdminAnswerError,
        AdminError,
        AdminKeyRefusedError,
        AdminUnreachableError,
        NoAdminKeyError,
        NoAdminReportError,
    )
    from token_tracking.admin.reports import claude_code_rows, organization_report
    from token_tracking.admin.values import (
        ClaudeCodeRow,
        CostRow,
        OrganizationReport,
        UsageRow,
    )

__all__ = [
    "AdminAnswerError",
    "AdminClient",
    "AdminError",
    "AdminKeyRefusedError",
    "AdminUnreachableError",
    "ClaudeCodeRow",
    "Comparison",
    "CostRow",
    "Credentials",
    "DayModel",
    "NoAdminKeyError",
    "NoAdminReportError",
    "OrganizationReport",
    "UsageRow",
    "claude_code_rows",
    "compare",
    "ledger_days",
    "organization_report",
    "unsettled_days",
    "with_users",
]

_MODULES = {
    "AdminAnswerError": "errors",
    "AdminClient": "client",
    "AdminError": "errors",
    "AdminKeyRefusedError": "errors",
    "AdminUnreachableError": "errors",
    "ClaudeCodeRow": "values",
    "Comparison": "comparison",
    "CostRow": "values",
    "Credentials": "credentials",
    "DayModel": "comparison",
    "NoAdminKeyError": "errors",
    "NoAdminReportError": "errors",
    "OrganizationReport": "values",
    "UsageRow": "values",
    "claude_code_rows": "reports",
    "compare": "comparison",
    "ledger_days": "comparison",
    "organization_report": "reports",
    "unsettled_days": "comparison",
    "with_users": "comparison",
}


def __getattr__(name: str) -> object:
    # Whoever has no key does not wait for the HTTP client (PEP 562).
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
