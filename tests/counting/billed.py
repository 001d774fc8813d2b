"""Transcripts whose texts were billed by a ratio that is known."""

from pathlib import Path
from typing import Any

from tests.transcripts import answer, usage, write
from token_tracking.counting import encoding_tokens


def transcript(folder: Path, session: str, ratio: float, model: str) -> None:
    """Thirty answers of some hundred tokens, billed by this ratio."""
    lines: list[dict[str, Any]] = []
    for i in range(30):
        words = " ".join(f"Sentence {n} of answer {i} says little." for n in range(40 + i))
        billed = usage(round(ratio * encoding_tokens(words)))
        line = answer(f"msg_{session}{model}{i}", uuid=f"{session}{i}", billed=billed)
        line["message"] |= {"model": model, "content": [{"type": "text", "text": words}]}
        lines.append({**line, "sessionId": session})
    write(folder, lines, session)
