"""Attribution: a session's prompt tokens and their cost, item by item."""

from token_tracking.efficiency.attribution.arrivals import Arrivals
from token_tracking.efficiency.attribution.branches import Branches
from token_tracking.efficiency.attribution.caching import Caching
from token_tracking.efficiency.attribution.changes import change
from token_tracking.efficiency.attribution.prompt import Prompt
from token_tracking.efficiency.attribution.result import Totals, result
from token_tracking.efficiency.attribution.sizes import Sizes
from token_tracking.efficiency.attribution.values import (
    Attribution,
    Conversation,
    NotAttributableError,
)
from token_tracking.efficiency.attribution.walk import requests
from token_tracking.efficiency.scale import ScaleOf, scales


def attribute(conversation: Conversation, scale_of: ScaleOf | None = None) -> Attribution:
    """Who paid for the prompts of a session's own requests.

    For each request, the items that it carried have exactly its prompt tokens, and exactly its
    prompt cost: each item pays for where it stands in what was read from the cache, written to it
    (for one hour before five minutes) and neither. `scale_of` says how a model's tokens relate to
    bytes: by default what is known of its family. The time it takes grows as n log n.

    Raises:
        NotAttributableError: the items do not add up, or it would take hours.
    """
    branches = Branches(conversation.messages)
    arrivals = Arrivals(conversation)
    prompt = Prompt(Sizes(scale_of or scales()), conversation.agents)
    positions = prompt.positions
    totals = Totals(cycles=len(branches.cycles))
    caching = Caching()
    for step in requests(branches, prompt):
        node = step.node
        message, size = node.message, node.size
        changed = change(prompt, message, size, arrivals.before(node))
        if positions.total != size:
            raise NotAttributableError(f"The items of {message.key} do not fill its prompt.")
        unseen = 0
        if message.is_own:
            positions.bill(message.usage, message.rates, message.at, message.key)
            unseen = totals.add(node, changed)
        else:
            prompt.inherit()
        step.cached = caching.add(message, step.cached, changed.unchanged, unseen)
    positions.end_quarter()
    return result(conversation, prompt, totals, caching)
