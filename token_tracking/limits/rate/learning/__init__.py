"""What providers say about their limits, in headers and in the texts of errors."""

from token_tracking.limits.rate.learning.learned import LearnedLimits, News
from token_tracking.limits.rate.learning.response import Response, read_response

__all__ = ["LearnedLimits", "News", "Response", "read_response"]
