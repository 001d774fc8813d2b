"""All requests of a session, each after the one it hangs on."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from token_tracking.efficiency.attribution.arrivals import MOST_SILENT, Node
from token_tracking.efficiency.attribution.branches import Branches
from token_tracking.efficiency.attribution.caching import NOTHING, Cached
from token_tracking.efficiency.attribution.prompt import Prompt
from token_tracking.efficiency.attribution.values import Message


class Step(Struct, gc=False):
    """A request, and what its conversation has in the cache: before it, and, once who walks has
    said so, after it. `mark` is where the prompt branched, `None` where it did not."""

    node: Node
    cached: Cached
    mark: int | None = None


def requests(branches: Branches, prompt: Prompt) -> Iterator[Step]:
    """Each request, with the prompt as the one before it left it."""
    for roots in branches.roots.values():
        for branch, root in enumerate(roots):
            first = Node(root, root.usage.prompt_tokens, None, roots, branch)
            yield from _below(Step(first, NOTHING), branches, prompt)
            prompt.clear()


def _below(root: Step, branches: Branches, prompt: Prompt) -> Iterator[Step]:
    positions = prompt.positions
    stack = [root]
    while stack:
        step = stack.pop()
        if step.mark is not None:
            positions.rollback(step.mark)
            if not stack:
                positions.forget()
        node = step.node
        if node.size:
            yield step
        after = branches.children.get(node.message.key)
        if after is None:
            continue
        if len(after) == 1 and node.size:
            message = after[0]
            following = Node(message, message.usage.prompt_tokens, node.message, after)
            stack.append(Step(following, step.cached))
        else:
            mark = None if len(after) == 1 else positions.mark()
            stack += _after(step, after, mark)


def _after(step: Step, after: Sequence[Message], mark: int | None) -> list[Step]:
    """What hangs on a message, the last first."""
    node = step.node
    message = node.message
    silent = () if node.size else (*node.silent, node)[1 - MOST_SILENT :]
    return [
        Step(
            Node(after[index], after[index].usage.prompt_tokens, message, after, index, silent),
            step.cached,
            mark,
        )
        for index in range(len(after) - 1, -1, -1)
    ]
