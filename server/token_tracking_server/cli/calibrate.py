"""`token-tracking calibrate`."""

import sys
from typing import Any, Final

from msgspec.structs import asdict
from rich.table import Table

from token_tracking.calibration import Calibration, Errors, Learned, Reason, calibrate
from token_tracking_server.cli import output
from token_tracking_server.cli.ledger import opened
from token_tracking_server.cli.output import counted, plain
from token_tracking_server.cli.progress import progress_bar
from token_tracking_server.cli.tables import console
from token_tracking_server.settings import Settings

_NOTE = (
    "Default and learned: tokens for one of o200k_base. Errors: median / 19 in 20, of sessions that"
    " were not learned from."
)
_KEPT: Final[dict[Reason, str]] = {
    "better": "yes",
    "too few samples": "no: too few",
    "the default is as good": "no: as good",
    "not plausible": "no: absurd",
}


async def run(settings: Settings, *, as_json: bool) -> int:
    """Learn from the transcripts how a model's tokens are estimated, and say what is better."""
    async with opened(settings) as (store, _):
        with progress_bar() as progress:
            done = await calibrate(store, settings.claude_dirs, progress=progress)
        if any(each.kept is not None for each in done.learned):
            # Shares of prompts rest on the same sizes.
            await store.mark_all_due()
    for path, reason in done.failures.items():
        print(f"token-tracking: cannot read {plain(path)}: {reason}.", file=sys.stderr)  # noqa: T201
    if as_json:
        output.json({"files": done.files, "models": [_fields(each) for each in done.learned]})
    else:
        _print(done)
    return 0


def _fields(each: Learned) -> dict[str, Any]:
    return {
        "model": each.model,
        "samples": each.samples,
        "held_out": each.held_out,
        "default": each.default,
        "default_errors": None if each.before is None else each.before._asdict(),
        "fitted": each.fitted,
        "fitted_errors": None if each.after is None else each.after._asdict(),
        "kept": None if each.kept is None else asdict(each.kept),
        "reason": each.reason,
    }


def _print(done: Calibration) -> None:
    out = console()
    if not done.learned:
        out.print(
            f"Nothing to learn from in {counted(done.files, 'transcript')}: no answer or tool"
            " result of 200 tokens whose tokens were billed."
        )
        return
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("Model", overflow="fold", min_width=12)
    for name in ("Samples", "Default", "Errors", "Learned", "Errors"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Kept")
    for each in done.learned:
        table.add_row(
            plain(each.model),
            f"{each.samples:,}",
            f"{each.default:.2f}",
            _errors(each.before),
            "-" if each.fitted is None else f"{each.fitted:.2f}",
            _errors(each.after),
            _KEPT[each.reason],
        )
    out.print(table)
    out.print(_NOTE)


def _errors(errors: Errors | None) -> str:
    return "-" if errors is None else f"{errors.median:.0%} / {errors.p95:.0%}"
