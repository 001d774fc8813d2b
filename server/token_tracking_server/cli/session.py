"""`token-tracking session`."""

from token_tracking.errors import UnknownSessionError
from token_tracking.store import Sums, TokenStore
from token_tracking_server.cli import output
from token_tracking_server.cli.ledger import bring_up_to_date, opened
from token_tracking_server.cli.rows import iso, sums_fields
from token_tracking_server.settings import Settings


async def run(settings: Settings, session_id: str, *, as_json: bool, ingest: bool) -> int:
    """Bring the ledger up to date, and report one session."""
    async with opened(settings) as (store, metrics):
        if ingest:
            await bring_up_to_date(store, settings)
        data = await metrics.get_session_data(await find_session(store, session_id))
        zone = metrics.zone
    sums = sum((Sums.of(message) for message in data.messages), start=Sums())
    if not as_json:
        from token_tracking_server.cli.tables import print_session

        print_session(data, sums, zone)
        return 0
    models: dict[str, Sums] = {}
    for message in data.messages:
        models[message.model or ""] = models.get(message.model or "", Sums()) + Sums.of(message)
    output.json(
        {
            "session_id": data.session_id,
            "project": data.project,
            "first_at": iso(data.first_at, zone),
            "last_at": iso(data.last_at, zone),
            **sums_fields(sums),
            "tool_uses": sum(tool.calls for tool in data.tools),
            "models": {model: sums_fields(part) for model, part in models.items()},
            "tools": [
                {
                    "name": tool.name,
                    "server": tool.server,
                    "calls": tool.calls,
                    "result_bytes": tool.result_bytes,
                }
                for tool in data.tools
            ],
            "inherited_messages": data.inherited,
        }
    )
    return 0


async def find_session(store: TokenStore, wanted: str) -> str:
    """The id that `wanted` names: an id, the beginning of one, or `latest`.

    Raises:
        UnknownSessionError: it names none, or several.
    """
    if wanted == "latest":
        latest = await store.latest_session()
        if latest is None:
            raise UnknownSessionError("The ledger is empty: run token-tracking ingest first.")
        return latest
    found = await store.session_ids(wanted, limit=3)
    if wanted in found or len(found) == 1:
        return wanted if wanted in found else found[0]
    if found:
        raise UnknownSessionError(
            f"{wanted} is the beginning of several sessions, such as {', '.join(found)}."
        )
    raise UnknownSessionError(
        f"No session {wanted!r} in the ledger. List them with: token-tracking report --by session."
    )
