"""Answers as Markdown for a chat: figures, where they come from, and what to do about gaps."""

from token_tracking_server.answers.markdown import LIMIT
from token_tracking_server.answers.report import report_answer, sessions_answer, summary_answer
from token_tracking_server.answers.session import session_answer
from token_tracking_server.answers.tracked import tracked_answer

__all__ = [
    "LIMIT",
    "report_answer",
    "session_answer",
    "sessions_answer",
    "summary_answer",
    "tracked_answer",
]
