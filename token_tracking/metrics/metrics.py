"""`TokenMetrics`: the query API over a ledger."""

from token_tracking.metrics.conversations import ConversationQuestions
from token_tracking.metrics.period_questions import PeriodQuestions
from token_tracking.metrics.reports import ReportQuestions
from token_tracking.metrics.sessions import SessionQuestions


class TokenMetrics(ReportQuestions, SessionQuestions, PeriodQuestions, ConversationQuestions):
    """The questions that people ask of a ledger. Days are those of `zone` (the machine's by
    default).

    `prices` are those of baselines that the ledger does not hold; the store's by default. What
    attribution tells is brought up to date first, unless `settle` is false: then it is as it was
    left, which may be behind the ledger.
    """
