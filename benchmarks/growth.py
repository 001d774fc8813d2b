"""More lines for a transcript that is still being written."""

import json
import random
from pathlib import Path

from benchmarks.generator import Shape, generate_session
from benchmarks.generator.filler import Filler
from benchmarks.generator.profiles import CURRENT

BLOCK_MESSAGES = 40
START = 1_795_000_000_000  # 2026-11-18, in milliseconds since 1970


def append_lines(path: Path, target_bytes: int, seed: int) -> int:
    """Append about this many bytes of new messages to a session's file; how many it became.

    The messages have new ids and the file's own session id (its name).
    """
    rng = random.Random(seed)
    filler = Filler(rng)
    written = 0
    with path.open("r+b") as file:
        if not _ends_line(path):
            file.seek(0, 2)
            file.write(b"\n")
        file.seek(0, 2)
        while written < target_bytes:
            session = generate_session(rng, filler, Shape(CURRENT, START, messages=BLOCK_MESSAGES))
            for line in session.lines:
                text = json.dumps({**line, "sessionId": path.stem}, ensure_ascii=False) + "\n"
                if written < target_bytes:
                    written += file.write(text.encode())
    return written


def _ends_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"
