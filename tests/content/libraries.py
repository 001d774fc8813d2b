"""Libraries for tests."""

from collections.abc import Sequence
from pathlib import Path

from token_tracking_server.content.library import Library

CACHING = """---
title: Prompt caching
description: When a cached prefix pays.
tags: [cost, cache]
---
# Prompt caching

What is sent again may be read from a cache.

## Break-even

A write costs more than a read: it pays at the second request.

## Lapses

After five minutes the prefix is gone.
"""


def count(texts: Sequence[str]) -> list[int]:
    """A counter whose counts can be told by hand: words."""
    return [len(text.split()) for text in texts]


def write(root: Path, path: str, text: str | bytes) -> Path:
    """A file of a library."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def library(folder: Path, *roots: Path) -> Library:
    """A library of these roots, its catalog in `folder`."""
    return Library(roots, folder, count)
