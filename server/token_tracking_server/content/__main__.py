"""The second process: see `second_process`."""

import gc
import os
import sys
from pathlib import Path

import msgspec

from token_tracking.counting import encoding_tokens_many
from token_tracking_server.content.preparing import Preparer
from token_tracking_server.content.roots import FoundFile, Roots
from token_tracking_server.content.second_process import read_frame, write_frame


def serve(folders: list[str]) -> None:
    """Prepare batch by batch, until the first process is done with this one, or dead."""
    preparer = Preparer(Roots([Path(folder) for folder in folders]), encoding_tokens_many)
    decode = msgspec.msgpack.Decoder(list[FoundFile]).decode
    while (frame := read_frame(sys.stdin.buffer)) is not None:
        write_frame(sys.stdout.buffer, preparer.prepare(decode(frame)))


if __name__ == "__main__":
    gc.disable()
    serve(sys.argv[1:])
    os._exit(0)
