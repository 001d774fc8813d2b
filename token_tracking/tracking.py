"""`track`: a client of a provider's own package, with its usage in the ledger."""

from collections.abc import Mapping
from typing import TypeVar

from token_tracking.recording import Recorder, default_recorder
from token_tracking.sources.sdk import Caller, track_client

_Client = TypeVar("_Client")


def track(
    client: _Client,
    *,
    recorder: Recorder | None = None,
    session_id: str | None = None,
    user: str | None = None,
    agent: str | None = None,
    project: str | None = None,
    metadata: Mapping[str, object] | None = None,
    gateway: bool = False,
) -> _Client:
    """Have each message that a client receives recorded once; it is handed back, and stays what it
    was: its types, streams, batches, retries and errors are its package's.

    Args:
        client: of the package `anthropic` or `openai`, sync or async.
        recorder: what takes the usage; by default one into the default ledger, which all tracked
            clients share.
        session_id: the conversation that its messages belong to. Like the next three, a single
            call can name another one: `extra_headers={"x-token-tracking-session": "..."}`.
        user, agent, project: who asks, with what, and for what.
        metadata: what else is to be kept with each message, as JSON. Never a text of messages.
        gateway: the client asks a gateway of ours on another machine, which is told all these but
            `metadata`. One on this machine, or one that has answered, is known without.

    A ledger that cannot be written never fails a call: usage waits on disk, beside the ledger.

    Raises:
        UnknownClientError: it is no client of these packages.
        StoreError: `TOKEN_TRACKING_DB` names no ledger.
    """
    caller = Caller(
        session_id=session_id, user=user, agent=agent, project=project, metadata=metadata
    )
    record = (recorder or default_recorder()).record
    return track_client(client, record, caller, asks_gateway=gateway)
