from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.efficiency.shares import LABELS, shares
from token_tracking.efficiency.groupings import GROUPINGS, category, check_grouping, key_of
from token_tracking.efficiency.groups import (
    Share,
    floor_of,
    group_rows,
    item_row,
    ranked,
    total_shares,
    totals_row,
)
from token_tracking.efficiency.snapshot import GroupRow
from token_tracking.errors import UnknownMetricError
from token_tracking.pricing import usd
from token_tracking.shares import METRICS, ItemRecord, ShareLabel, ShareSums

SHOP = "/home/sam/shop"
READ = ShareLabel("tool", "Read", uri="/home/sam/shop/a.py")
USD = 10**12


def costing(dollars: int, plain: int | None = None, **sums: int) -> ShareSums:
    """What cost so many USD, a quarter of it when it entered; `plain` is its uncached cost."""
    given = {"prompt_tokens": 1000, "carried": 10, "loads": 1, "tokens": 100, **sums}
    cost = dollars * USD
    return ShareSums(
        cost_pico=cost, first_pico=cost // 4, no_cache_pico=(plain or 0) * USD, **given
    )


def of(by: str, *labels: ShareLabel) -> list[str]:
    return [row.label for row in group_rows(by, [(SHOP, label, costing(1, 2)) for label in labels])]


def test_a_row_has_its_cost_its_share_and_what_caching_saved() -> None:
    github = ShareLabel("tool", "list_issues", "github")
    shares: list[Share] = [
        (SHOP, READ, costing(3, 4)),
        (None, READ, costing(1, 4)),
        (SHOP, github, costing(5, 4)),
    ]
    rows = group_rows("tool", shares)
    assert rows == [
        GroupRow(
            label="list_issues (github)", kind="tool", name="list_issues", server="github",
            loads=1, tokens=100, carried=10, prompt_tokens=1000,
            cost_usd=Decimal(5), first_usd=Decimal("1.25"), carry_usd=Decimal("3.75"),
            share=5 / 9, efficiency=-25.0, saved_usd=Decimal(-1),
        ),
        GroupRow(
            label="Read", kind="tool", name="Read",
            loads=2, tokens=200, carried=20, prompt_tokens=2000,
            cost_usd=Decimal(4), first_usd=Decimal(1), carry_usd=Decimal(3), share=4 / 9,
            efficiency=50.0, saved_usd=Decimal(4),
        ),
    ]  # fmt: skip


def test_every_grouping_has_words_for_people() -> None:
    assert sorted(of("kind", *LABELS)) == [
        "Added by the client", "Answers", "Attachments",
        "Base of the prompt (system prompt, tools, memory)", "Not listed in the transcript",
        "Tool results", "Your messages",
    ]  # fmt: skip
    assert of("agent", *LABELS) == ["Main conversation", "Explore"]
    assert of("skill", *LABELS) == ["deploy", "Of no skill"]
    assert of("mcp-server", *LABELS) == ["github", "library", "From no MCP server"]
    assert of("path", *LABELS) == [
        "/home/sam/shop/a.py",
        "content://guides/sql content://guides/git",
        "repo://shop/a.py",
        "Of no path or address",
    ]
    assert of("project", READ) == [SHOP]
    assert set(of("tool", *LABELS)) >= {"Read", "Bash", "List of skills", "list_issues (github)"}
    assert set(of("category", *LABELS)) >= {"Read", "github", "guides", "Attachments"}


def test_the_rest_of_a_grouping_stands_last_whatever_it_cost() -> None:
    server = ShareLabel("tool", "list_issues", "github")
    rows = group_rows("mcp-server", [(None, READ, costing(9)), (None, server, costing(1))])
    assert [(row.label, row.is_rest) for row in rows] == [
        ("github", False),
        ("From no MCP server", True),
    ]


@pytest.mark.parametrize(
    ("label", "name"),
    [
        (ShareLabel("tool", "load_content", "library", "content://guides/sql#a"), "guides"),
        (ShareLabel("tool", "load_content", "library", "content://skills/x content://a"), "skills"),
        (ShareLabel("tool", "load_content", "library", "content://"), "library"),
        (ShareLabel("tool", "list_issues", "github"), "github"),
        (ShareLabel("tool", "Read", uri="/a.py"), "Read"),
        (ShareLabel("tool"), "tool"),
        (ShareLabel("answer", "claude-opus-4-6"), "answer"),
    ],
)  # fmt: skip
def test_a_category_is_the_librarys_or_the_server_or_the_tool(label: ShareLabel, name: str) -> None:
    assert category(label) == name


def test_a_library_category_is_no_server_of_the_same_name() -> None:
    library = ShareLabel("tool", "load_content", "library", "content://github/a")
    server = ShareLabel("tool", "list_issues", "github")
    rows = group_rows("category", [(None, library, costing(1)), (None, server, costing(2))])
    assert [(row.label, row.kind) for row in rows] == [
        ("github", "mcp-server"),
        ("github", "library"),
    ]


def test_what_has_no_price_has_no_money() -> None:
    (row,) = group_rows("tool", [(None, READ, ShareSums(prompt_tokens=5, carried=1))])
    assert (row.cost_usd, row.first_usd, row.carry_usd, row.saved_usd) == (None,) * 4
    assert (row.share, row.efficiency) == (None, None)
    assert ranked([row], "cost") == [row]


def test_rows_are_ranked_by_each_metric() -> None:
    dear = group_rows("tool", [(None, READ, costing(9, 10, tokens=1, carried=1))])
    often = group_rows("tool", [(None, ShareLabel("tool", "Bash"), costing(1, 2, tokens=7))])
    rows = [*dear, *often]
    tops = {metric: ranked(rows, metric, 1)[0].label for metric in METRICS}
    assert tops == {"cost": "Read", "tokens": "Bash", "efficiency": "Bash", "carried": "Bash"}


def test_efficiency_ranks_only_groups_that_are_large_enough_to_matter() -> None:
    total = costing(9, 10, prompt_tokens=1_000_000)
    assert floor_of(total) == 1000
    rows = group_rows(
        "tool",
        [
            (None, READ, costing(1, 9, prompt_tokens=999)),
            (None, ShareLabel("tool", "Bash"), costing(1, 2, prompt_tokens=1000)),
        ],
    )
    chosen = ranked(rows, "efficiency", floor=floor_of(total))
    assert [row.label for row in chosen] == ["Bash"]


def test_a_metric_and_a_grouping_have_to_exist() -> None:
    with pytest.raises(UnknownMetricError, match="cost, tokens, efficiency, carried"):
        ranked([], "price")
    with pytest.raises(UnknownMetricError, match="item, path, tool, mcp-server"):
        check_grouping("folder")
    with pytest.raises(UnknownMetricError, match="no groups"):
        key_of("item")


def test_an_item_is_a_row_with_its_own_session_and_time() -> None:
    record = ItemRecord(
        id="toolu_1", label=READ, entered_at=5, entered_with="msg_1", tokens=100, requests=3,
        prompt_tokens=300, cost_pico=2 * USD, no_cache_pico=4 * USD, first_pico=USD,
        is_measured=True,
    )  # fmt: skip
    row = item_row(record, costing(8), "s1", SHOP)
    assert row == GroupRow(
        label="Read: /home/sam/shop/a.py", kind="tool", name="Read", uri="/home/sam/shop/a.py",
        agent="", project=SHOP, category="Read", item="toolu_1", session_id="s1", entered_at=5,
        loads=1, tokens=100, carried=3, prompt_tokens=300, cost_usd=Decimal(2),
        first_usd=Decimal(1), carry_usd=Decimal(1), share=0.25, efficiency=50.0,
        saved_usd=Decimal(2), basis="measured",
    )  # fmt: skip


@given(shares, st.sampled_from([by for by in GROUPINGS if by != "item"]))
def test_the_groups_of_every_grouping_add_up_to_the_same(rows: list[Share], by: str) -> None:
    total = total_shares(rows)
    found = group_rows(by, rows)
    for name in ("loads", "tokens", "carried", "prompt_tokens"):
        assert sum(getattr(row, name) for row in found) == getattr(total, name)
    assert sum(row.cost_usd or 0 for row in found) == usd(total.cost_pico)
    assert sum(row.first_usd or 0 for row in found) == usd(total.first_pico)
    assert sum(row.carry_usd or 0 for row in found) == usd(total.carry_pico)
    assert totals_row(total).prompt_tokens == total.prompt_tokens


@given(shares, st.sampled_from(METRICS), st.integers(0, 5))
def test_a_limit_keeps_the_first(rows: list[Share], metric: str, limit: int) -> None:
    found = group_rows("tool", rows)
    assert ranked(found, metric, limit) == ranked(found, metric)[:limit]
