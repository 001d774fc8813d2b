"""One text for a synchronous client and an asynchronous one."""

import inspect
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any


async def done(value: Any) -> Any:
    """What a call gives, awaited where it must be."""
    return await value if inspect.isawaitable(value) else value


def _is_async(items: Any) -> bool:
    return hasattr(items, "__aiter__")


async def each(items: Any) -> list[Any]:
    """All the items of an iterable of either kind."""
    if _is_async(items):
        return [item async for item in items]
    return list(items)


async def first(items: Any, count: int) -> list[Any]:
    """The first items, and no more is read."""
    found: list[Any] = []
    if _is_async(items):
        async for item in items:
            found.append(item)
            if len(found) == count:
                break
        return found
    for item in items:
        found.append(item)
        if len(found) == count:
            break
    return found


@asynccontextmanager
async def within(manager: Any) -> AsyncGenerator[Any]:
    """Enter a context manager of either kind."""
    if hasattr(manager, "__aenter__"):
        async with manager as entered:
            yield entered
    else:
        with manager as entered:
            yield entered
