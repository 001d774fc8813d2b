"""The assistant's message of a response, put together as the response passes by."""

from token_tracking_server.gateway.managing.assembling.reader import AnswerReader
from token_tracking_server.gateway.managing.assembling.values import Assembled, Said

__all__ = ["AnswerReader", "Assembled", "Said"]
