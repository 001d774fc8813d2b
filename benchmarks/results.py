"""What the comparison found, beside its goals."""

from dataclasses import dataclass
from typing import Any

from benchmarks.ledger_size import ITEM_BYTES, MESSAGE_BYTES
from benchmarks.processes import Timing

PEAK_BYTES = 250_000_000
HISTORY_NOISE = 1.05  # two medians of the same command differ by up to this much


@dataclass(frozen=True)
class Comparison:
    """The times of both programs for one question, and the ratio that is wanted."""

    name: str
    ours: Timing
    ccusage: Timing
    goal: float
    limit: float
    tree_peak_bytes: int | None = None
    ccusage_tree_peak_bytes: int | None = None

    @property
    def ratio(self) -> float:
        """Our median time in units of ccusage's."""
        return self.ours.median / self.ccusage.median

    def as_json(self) -> dict[str, Any]:
        """Every figure, with whether the goal and the limit are met."""
        return {
            "name": self.name,
            "ratio": self.ratio,
            "goal": self.goal,
            "goal_met": self.ratio <= self.goal,
            "limit": self.limit,
            "limit_met": self.ratio <= self.limit,
            "token_tracking": self.ours.as_json(),
            "ccusage": self.ccusage.as_json(),
            "tree_peak_bytes": self.tree_peak_bytes,
            "ccusage_tree_peak_bytes": self.ccusage_tree_peak_bytes,
        }


def agreement(counts: dict[str, Any], theirs: dict[str, int]) -> list[dict[str, Any]]:
    """Token totals of both. Both take the maximum per message id, so they should be equal.

    A difference can come from ids that are not `msg_...`: ccusage's key is the message and the
    request id, ours is scoped by the session.
    """
    return [
        {"name": name, "token_tracking": counts[name], "ccusage": value}
        | {"equal": counts[name] == value}
        for name, value in theirs.items()
    ]


def page(found: dict[str, Any]) -> str:
    """The result as plain text, each ratio beside its goal."""
    tree = found["tree"]
    lines = [
        f"{tree['megabytes']:,.0f} MB in {tree['files']} files, source {tree['source']}",
        "whole processes, in turn, warm page cache",
        *(line for row in found["comparisons"] for line in _comparison(row)),
        *_memory(found),
        *(_history(found["history"]) if "history" in found else []),
        *_database(found["database"]),
        *_totals(found["totals"]),
    ]
    return "\n".join(lines)


def _met(met: bool) -> str:
    return "met" if met else "NOT met"


def _comparison(row: dict[str, Any]) -> list[str]:
    verdict = f"goal {row['goal']}: {_met(row['goal_met'])}"
    if row["limit"] != row["goal"]:
        verdict += f", at most {row['limit']}: {_met(row['limit_met'])}"
    lines = [f"\n{row['name']}: ratio {row['ratio']:.2f}; {verdict}"]
    for name in ("token_tracking", "ccusage"):
        times = row[name]
        lines.append(
            f"  {name:<15} median {times['median']:.3f} s "
            f"({times['minimum']:.3f} to {times['maximum']:.3f}, {times['runs']} runs), "
            f"largest process {times['largest_process_bytes'] / 1e6:.0f} MB"
        )
    return lines


def _memory(found: dict[str, Any]) -> list[str]:
    cold = found["comparisons"][0]
    peaks = [
        ("token_tracking", cold["tree_peak_bytes"]),
        ("ccusage", cold["ccusage_tree_peak_bytes"]),
    ]
    history = found.get("history", {})
    if "cold_tree_peak_bytes" in history:
        peaks.append((f"token_tracking, {history['factor']}x", history["cold_tree_peak_bytes"]))
    lines = ["\npeak memory of a cold run, sum over the process tree (PSS, sampled every 5 ms)"]
    for name, peak in peaks:
        if peak is None:
            lines.append(f"  {name:<20} not measured here: needs /proc")
            continue
        verdict = "" if name == "ccusage" else f"; at most 250 MB: {_met(peak <= PEAK_BYTES)}"
        lines.append(f"  {name:<20} {peak / 1e6:.0f} MB{verdict}")
    return lines


def _history(row: dict[str, Any]) -> list[str]:
    one, many = (times["median"] for times in row["report_seconds"])
    largest = row["cold_largest_process_bytes"] / 1e6
    verdict = f"no slower, within 5% of noise: {_met(row['ratio'] <= HISTORY_NOISE)}"
    name = f"warm report with {row['factor']} times the history"
    return [
        f"\n{name}: ratio {row['ratio']:.2f}; {verdict}",
        f"  {many:.3f} s against {one:.3f} s",
        f"  its cold ingest: {row['cold_seconds']:.1f} s, largest process {largest:.0f} MB",
    ]


def _database(row: dict[str, Any]) -> list[str]:
    unused = row["unused_bytes"]
    spare = "" if unused is None else f", of which {unused / 1e6:.1f} MB unused in pages"
    messages = f"{row['messages']:,} messages x {MESSAGE_BYTES}"
    items = f"{row['items']:,} items ({row['items_counted_in']}) x {ITEM_BYTES}"
    tables: dict[str, int] = row["bytes_by_table"] or {}
    return [
        f"\ndatabase {row['bytes'] / 1e6:.1f} MB{spare}",
        f"  {messages} + {items} = {row['allowed_bytes'] / 1e6:.1f} MB: {_met(row['met'])}",
        *(f"    {name:<38} {size / 1e6:>8.2f} MB" for name, size in tables.items()),
    ]


def _totals(rows: list[dict[str, Any]]) -> list[str]:
    lines = ["\ntotals"]
    for row in rows:
        verdict = (
            "equal" if row["equal"] else f"ccusage {row['ccusage'] - row['token_tracking']:+,}"
        )
        lines.append(f"  {row['name']:<20} {row['token_tracking']:>16,}  {verdict}")
    return lines
