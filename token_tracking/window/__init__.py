"""Long conversations that stay inside their budget, valid, and cheaper.

`ContextWindow` is what to begin with. Each name is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from token_tracking.window.anthropic_summariser import AnthropicSummariser
    from token_tracking.window.budget import Budget
    from token_tracking.window.content_store import (
        FETCH_TOOL,
        ContentStore,
        MemoryContentStore,
        SqliteContentStore,
        fetch_call,
        fetch_tool,
    )
    from token_tracking.window.documents import Document, DocumentSource
    from token_tracking.window.errors import (
        ContentStoreError,
        DoesNotFitError,
        InvalidBudgetError,
        InvalidConversationError,
        SummaryError,
    )
    from token_tracking.window.laws import LAWS, BrokenLaw, validate
    from token_tracking.window.policies.cap import CapToolResults
    from token_tracking.window.policies.clear import ClearToolResults
    from token_tracking.window.policies.default import default_policy
    from token_tracking.window.policies.emergency import Emergency
    from token_tracking.window.policies.hybrid import Hybrid
    from token_tracking.window.policies.native import Native
    from token_tracking.window.policies.policy import Policy
    from token_tracking.window.policies.reset import AutoReset
    from token_tracking.window.policies.sliding import SlidingWindow
    from token_tracking.window.policies.summarize import Summarize
    from token_tracking.window.policies.tool_call_limit import ToolCallLimit
    from token_tracking.window.prepared import Action, Alert, Costs, Prepared, Tokens
    from token_tracking.window.remaining import LearnedRemaining, UsualRemaining
    from token_tracking.window.summaries import SummaryRequest
    from token_tracking.window.window import ContextWindow

__all__ = [
    "FETCH_TOOL",
    "LAWS",
    "Action",
    "Alert",
    "AnthropicSummariser",
    "AutoReset",
    "BrokenLaw",
    "Budget",
    "CapToolResults",
    "ClearToolResults",
    "ContentStore",
    "ContentStoreError",
    "ContextWindow",
    "Costs",
    "Document",
    "DocumentSource",
    "DoesNotFitError",
    "Emergency",
    "Hybrid",
    "InvalidBudgetError",
    "InvalidConversationError",
    "LearnedRemaining",
    "MemoryContentStore",
    "Native",
    "Policy",
    "Prepared",
    "SlidingWindow",
    "SqliteContentStore",
    "Summarize",
    "SummaryError",
    "SummaryRequest",
    "Tokens",
    "ToolCallLimit",
    "UsualRemaining",
    "default_policy",
    "fetch_call",
    "fetch_tool",
    "validate",
]

_MODULES = {
    "FETCH_TOOL": "content_store",
    "LAWS": "laws",
    "Action": "prepared",
    "Alert": "prepared",
    "AnthropicSummariser": "anthropic_summariser",
    "AutoReset": "policies.reset",
    "BrokenLaw": "laws",
    "Budget": "budget",
    "CapToolResults": "policies.cap",
    "ClearToolResults": "policies.clear",
    "ContentStore": "content_store",
    "ContentStoreError": "errors",
    "ContextWindow": "window",
    "Costs": "prepared",
    "Document": "documents",
    "DocumentSource": "documents",
    "DoesNotFitError": "errors",
    "Emergency": "policies.emergency",
    "Hybrid": "policies.hybrid",
    "InvalidBudgetError": "errors",
    "InvalidConversationError": "errors",
    "LearnedRemaining": "remaining",
    "MemoryContentStore": "content_store",
    "Native": "policies.native",
    "Policy": "policies.policy",
    "Prepared": "prepared",
    "SlidingWindow": "policies.sliding",
    "SqliteContentStore": "content_store",
    "Summarize": "policies.summarize",
    "SummaryError": "errors",
    "SummaryRequest": "summaries",
    "Tokens": "prepared",
    "ToolCallLimit": "policies.tool_call_limit",
    "UsualRemaining": "remaining",
    "default_policy": "policies.default",
    "fetch_call": "content_store",
    "fetch_tool": "content_store",
    "validate": "laws",
}


def __getattr__(name: str) -> object:
    # Whoever needs one part does not wait for the others (PEP 562).
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
