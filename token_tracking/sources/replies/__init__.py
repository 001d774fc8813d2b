"""What the responses of providers' APIs say of usage: bytes in, `Reply` out."""

from token_tracking.sources.replies.asking import (
    REFUSALS,
    Refusals,
    ask_for_usage,
    model_of,
    refuses_usage,
)
from token_tracking.sources.replies.encodings import READABLE_ENCODINGS, readable_encodings
from token_tracking.sources.replies.hiding import UsageHider
from token_tracking.sources.replies.openai_usage import usage_from_openai
from token_tracking.sources.replies.paths import form_of_path, plain_path
from token_tracking.sources.replies.reader import ReplyReader, reader_for
from token_tracking.sources.replies.reading import Reading, Record
from token_tracking.sources.replies.sighting import is_response_id, sighting_of
from token_tracking.sources.replies.values import REQUEST_ID, Call, Form, Reply

__all__ = [
    "READABLE_ENCODINGS",
    "REFUSALS",
    "REQUEST_ID",
    "Call",
    "Form",
    "Reading",
    "Record",
    "Refusals",
    "Reply",
    "ReplyReader",
    "UsageHider",
    "ask_for_usage",
    "form_of_path",
    "is_response_id",
    "model_of",
    "plain_path",
    "readable_encodings",
    "reader_for",
    "refuses_usage",
    "sighting_of",
    "usage_from_openai",
]
