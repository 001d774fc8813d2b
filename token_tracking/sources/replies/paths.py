"""What the path of a request says of its response."""

from typing import Final
from urllib.parse import unquote

from token_tracking.sources.replies.values import Form

_PREDICTIONS: Final = ("rawPredict", "streamRawPredict")
"""Vertex AI's word for a request in the form of the model's own maker."""


_MADE: Final = ("compact",)
_COUNTS: Final = ("input_tokens",)
"""What stands below `/responses` beside ids: one makes a response, the other none."""


def plain_path(path: str) -> str:
    """A path as servers understand it: percent-decoded once, without empty and dot segments, a
    slash at its end, or a query. For deciding what it is; what is sent on is the path as it came.
    """
    path = path.partition("?")[0]
    if "%" in path:
        path = unquote(path)
    if "//" not in path and "/." not in path and not path.endswith("/"):
        return path
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def form_of_path(path: str) -> Form | None:
    """Whose form a request to this path has, by the path's end; `None` where it holds no usage.

    These are `/messages`, `/messages/batches/ID/results` and Vertex AI's
    `/publishers/anthropic/models/MODEL:rawPredict` of Anthropic; `/chat/completions`,
    `/completions`, `/responses`, `/responses/compact`, `/responses/ID` and `/files/ID/content` of
    OpenAI, each with anything in front.
    """
    parts = parts_of(path)
    if parts[-1:] == ["messages"] or is_results(parts) or _is_prediction(parts):
        return "anthropic"
    if parts[-1:] in (["completions"], ["responses"]) or is_file(parts):
        return "openai"
    if parts[-2:-1] == ["responses"]:
        return None if parts[-1] in _COUNTS else "openai"
    return None


def parts_of(path: str) -> list[str]:
    """The segments of a path."""
    return plain_path(path).split("/")


def is_results(parts: list[str]) -> bool:
    """Whether it is for the results of a batch of Anthropic's."""
    return parts[-4:-2] == ["messages", "batches"] and parts[-1] == "results"


def is_file(parts: list[str]) -> bool:
    """Whether it is for a file of OpenAI's: a batch's output is one."""
    return parts[-3:-2] == ["files"] and parts[-1] == "content"


def is_retrieval(parts: list[str]) -> bool:
    """Whether it is for a response that was made before (Responses API)."""
    return parts[-2:-1] == ["responses"] and parts[-1] not in _MADE


def _is_prediction(parts: list[str]) -> bool:
    model, _, method = parts[-1].rpartition(":")
    is_claude = parts[-4:-1] == ["publishers", "anthropic", "models"]
    return is_claude and method in _PREDICTIONS and model != "count-tokens"
