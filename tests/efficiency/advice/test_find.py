"""What a session spent and need not have.

Prices a token, in pico-USD: input 5,000,000, read 500,000, written for five minutes 6,250,000, for
an hour 10,000,000, output 25,000,000.
"""

from operator import attrgetter
from typing import Any

import pytest
from msgspec.structs import replace

from tests.efficiency.advice.sessions import (
    MINUTE,
    USD,
    base,
    called,
    found,
    item,
    read_of,
    request,
)
from token_tracking.efficiency.advice import advise, summed
from token_tracking.efficiency.attribution import Entry, Message, Removal
from token_tracking.pricing import PriceBook
from token_tracking.shares import Finding

TALK = [
    request("m0", write=20_000),
    request("m1", "m0", read=20_000, write=1_000, minute=1),
    request("m2", "m1", read=21_000, write=1_000, minute=2),
]
READS = [read_of("a", "m0"), read_of("b", "m1")]


LIFETIMES = {"one_hour_cache", "five_minute_cache"}
BESIDE = {*LIFETIMES, "called"}


def _beside_lifetimes(findings: list[Finding]) -> list[Finding]:
    """Those that have money and are not about the lifetime of the cache: nearly every session has
    some of these."""
    return [each for each in findings if each.kind not in BESIDE]


def _of(kind: str, findings: list[Finding]) -> list[Finding]:
    return [each for each in findings if each.kind == kind]


def test_a_session_that_wastes_nothing_has_no_findings() -> None:
    messages = [
        request("m0", hour=20_000),
        request("m1", "m0", read=20_000, hour=1_000, minute=30),
        request("m2", "m1", read=21_000, hour=1_000, minute=31),
    ]
    entries = [read_of("a", "m0"), read_of("b", "m1", "/b.py"), called("c", "m1", "Bash", "")]
    items = [base(15_000), item("a", USD), item("b", USD), item("c", USD, name="Bash")]
    findings = found(messages, entries, items)
    assert _beside_lifetimes(findings) == []
    assert advise(summed("s", findings)) == []


class TestRereads:
    def test_a_file_that_stands_unchanged_in_the_prompt_is_read_again(self) -> None:
        findings = _beside_lifetimes(found(TALK, READS, [item("a", 5 * USD), item("b", 2 * USD)]))
        assert findings == [
            Finding(kind="reread", subject="/a.py", at=7, pico=2 * USD, tokens=2_000, item="b")
        ]

    def test_every_later_copy_counts(self) -> None:
        entries = [*READS, read_of("c", "m1")]
        findings = _beside_lifetimes(found(TALK, entries, [item(key, USD) for key in "abc"]))
        assert [(each.pico, each.count, each.item) for each in findings] == [(2 * USD, 2, "b")]

    @pytest.mark.parametrize("tool", ["Edit", "MultiEdit", "Write", "NotebookEdit"])
    def test_an_edited_file_may_be_read_again(self, tool: str) -> None:
        entries = [READS[0], called("w", "m0", tool, "/a.py"), read_of("b", "m2")]
        assert _beside_lifetimes(found(TALK, entries, [item("a"), item("b")])) == []

    def test_an_edit_of_another_file_changes_nothing(self) -> None:
        entries = [READS[0], called("w", "m0", "Edit", "/b.py"), read_of("b", "m2")]
        assert len(_beside_lifetimes(found(TALK, entries, [item("a"), item("b")]))) == 1

    @pytest.mark.parametrize(
        "other",
        [
            read_of("b", "m1", size=3_001),
            read_of("b", "m1", "/b.py"),
            called("b", "m1", "Grep", "/a.py", 3_000),
        ],
    )
    def test_another_size_path_or_tool_is_something_else(self, other: Entry) -> None:
        assert _beside_lifetimes(found(TALK, [READS[0], other], [item("a"), item("b")])) == []

    def test_a_search_in_the_same_folder_may_be_for_something_else(self) -> None:
        entries = [called("a", "m0", "Grep", "/src"), called("b", "m1", "Grep", "/src")]
        assert _beside_lifetimes(found(TALK, entries, [item("a"), item("b")])) == []

    @pytest.mark.parametrize(
        "removal", [Removal(after="m1"), Removal(after="m1", removed=frozenset({"a"}))]
    )
    def test_what_was_removed_may_be_read_again(self, removal: Removal) -> None:
        entries = [READS[0], read_of("b", "m2")]
        assert _beside_lifetimes(found(TALK, entries, [item("a"), item("b")], [removal])) == []

    def test_a_prompt_that_shrank_may_have_lost_it(self) -> None:
        messages = [TALK[0], request("m1", "m0", read=10_000, minute=1)]
        assert _beside_lifetimes(found(messages, READS, [item("a"), item("b")])) == []

    def test_each_subagent_reads_for_itself(self) -> None:
        messages = [*TALK, request("m3", write=9_000, chain="x", minute=3)]
        entries = [READS[0], read_of("b", "m3")]
        assert _beside_lifetimes(found(messages, entries, [item("a"), item("b")])) == []

    def test_what_a_user_went_back_before_does_not_stand_in_the_prompt(self) -> None:
        messages = [*TALK, request("m3", "m0", read=20_000, write=500, minute=3)]
        entries = [read_of("a", "m2"), read_of("b", "m3")]
        assert _beside_lifetimes(found(messages, entries, [item("a"), item("b")])) == []


class TestLargeResults:
    def test_later_it_costs_what_it_was_carried_for(self) -> None:
        messages = [
            request("m0", write=50_000),
            request("m1", "m0", read=50_000, minute=10),
            request("m2", "m1", read=50_000, minute=20),
            request("m3", "m2", write=50_000, minute=50),
        ]
        large = item(
            "a", 4 * USD, tokens=40_000, first_pico=USD, requests=4, entered_at=0, entered_with="m0"
        )
        findings = _of("large_result", found(messages, [], [large]))
        # 500,000 a token twice, and 6,250,000 once.
        assert [(each.at // MINUTE, each.pico, each.count, each.tokens) for each in findings] == [
            (50, 1_939_655_172_414, 0, 0),
            (0, 155_172_413_793, 1, 40_000),
            (20, 155_172_413_793, 0, 0),
        ]

    def test_the_part_above_ten_thousand_tokens_is_counted_where_it_is_carried(self) -> None:
        large = item("a", 4 * USD, tokens=40_000, first_pico=USD)
        assert found([], [], [large]) == [
            Finding(
                kind="large_result",
                subject="Read",
                at=7,
                pico=2_250_000_000_000,
                tokens=40_000,
                item="a",
            )
        ]

    def test_it_is_named_by_its_server_and_tool(self) -> None:
        large = item("a", tokens=40_000, server="github", name="list_issues")
        assert [each.subject for each in found([], [], [large])] == ["github: list_issues"]

    @pytest.mark.parametrize(
        "fields",
        [
            {"tokens": 10_000},
            {"tokens": 40_000, "kind": "user"},
            {"tokens": 40_000, "first_pico": USD},
            {"tokens": 40_000, "first_pico": None},
            {"tokens": None, "entered_at": None},
        ],
    )
    def test_others_are_no_finding(self, fields: dict[str, object]) -> None:
        assert found([], [], [item("a", USD, **fields)]) == []

    def test_what_was_read_again_is_not_counted_twice(self) -> None:
        items = [item(key, tokens=40_000) for key in "ab"]
        findings = _beside_lifetimes(found(TALK, READS, items))
        assert [(each.kind, each.item) for each in findings] == [
            ("reread", "b"),
            ("large_result", "a"),
        ]


class TestOneHourCache:
    def test_it_pays_where_a_long_prompt_lapses(self) -> None:
        # Saved 100,000 * 5,750,000; 101,000 other tokens at 3,750,000 more.
        messages = [
            request("m0", write=100_000),
            request("m1", "m0", write=101_000, minute=10),
        ]
        assert found(messages) == [
            Finding(
                kind="one_hour_cache",
                subject="main conversation",
                at=0,
                pico=196_250_000_000,
                tokens=100_000,
            )
        ]

    def test_it_costs_where_nothing_lapses(self) -> None:
        messages = [
            request("m0", write=100_000),
            request("m1", "m0", read=100_000, write=1_000, minute=5),
        ]
        (finding,) = found(messages)
        assert (finding.pico, finding.count) == (-378_750_000_000, 0)

    def test_a_break_of_more_than_an_hour_lapses_anyway(self) -> None:
        messages = [request("m0", write=1_000), request("m1", "m0", write=1_100, minute=60.01)]
        assert [(each.pico, each.tokens) for each in found(messages)] == [
            (-1_000 * 3_750_000, 0),
            (-1_100 * 3_750_000, 0),
        ]

    def test_what_is_kept_for_an_hour_did_not_lapse(self) -> None:
        # Another reason, such as a changed tool, which a longer life would not have helped.
        messages = [request("m0", hour=9_000), request("m1", "m0", write=9_000, minute=10)]
        (finding,) = _of("one_hour_cache", found(messages))
        assert (finding.pico, finding.tokens) == (-9_000 * 3_750_000, 0)

    def test_subagents_have_a_setting_of_their_own(self) -> None:
        messages = [request("m0", write=1_000), request("m1", write=2_000, chain="x")]
        assert [(each.subject, each.pico) for each in found(messages)] == [
            ("main conversation", -1_000 * 3_750_000),
            ("subagents", -2_000 * 3_750_000),
        ]

    def test_what_others_paid_for_is_not_in_it(self) -> None:
        messages = [
            request("m0", write=1_000, is_own=False),
            request("m1", "m0", read=1_000, write=10, rates=None),
        ]
        assert found(messages) == []


class TestFiveMinuteCache:
    def test_it_pays_where_nobody_pauses(self) -> None:
        messages = [
            request("m0", hour=10_000, chain="x"),
            request("m1", "m0", read=10_000, hour=1_000, minute=5, chain="x"),
        ]
        assert found(messages) == [
            Finding(
                kind="five_minute_cache",
                subject="subagents",
                at=0,
                pico=11_000 * 3_750_000,
                tokens=0,
                count=0,
            )
        ]

    def test_it_costs_where_the_hour_is_made_use_of(self) -> None:
        messages = [
            request("m0", hour=10_000),
            request("m1", "m0", read=10_000, hour=1_000, minute=6),
        ]
        (finding,) = found(messages)
        assert finding.pico == 11_000 * 3_750_000 - 10_000 * 5_750_000
        assert (finding.tokens, finding.count) == (10_000, 1)


class TestIdleLapses:
    def test_compacting_before_a_long_break_would_have_saved(self) -> None:
        # 300,000 tokens at 10,000,000, less a call (300,000 read, 5,600 of output) and writing
        # 65,500 tokens.
        messages = [request("m0", hour=300_000), request("m1", "m0", hour=301_000, minute=120)]
        findings = found(messages, items=[base(20_000)])
        assert findings[0] == Finding(
            kind="idle_lapse",
            subject="long breaks",
            at=120 * MINUTE,
            pico=2_055_000_000_000,
            tokens=300_000,
        )

    @pytest.mark.parametrize(
        "resumed",
        [
            request("m1", "m0", hour=301_000, minute=60),
            request("m1", "m0", read=300_000, hour=1_000, minute=120),
            request("m1", "m0", hour=90_000, minute=120),
            request("m1", "m0", hour=301_000, minute=120, is_own=False),
            request("m1", None, hour=301_000, minute=120),
        ],
    )
    def test_a_short_break_a_warm_cache_or_another_prompt_is_none(self, resumed: Message) -> None:
        messages = [request("m0", hour=300_000), resumed]
        kinds = {each.kind for each in found(messages, items=[base(20_000)])}
        assert "idle_lapse" not in kinds

    def test_the_rest_of_the_prompt_costs_what_a_short_one_does(self) -> None:
        model, start = "claude-sonnet-4-5", 1_761_955_200_000 / MINUTE
        rates = PriceBook().rates(model, int(start * MINUTE), prompt_tokens=300_000)
        long: dict[str, Any] = {"model": model, "rates": rates}
        messages = [
            request("m0", hour=300_000, minute=start, **long),
            request("m1", "m0", hour=310_000, minute=start + 120, **long),
        ]
        (finding,) = _of("idle_lapse", found(messages, items=[base(20_000)]))
        # All of it at 12 USD a million, against 75,500 tokens at 6 and the call.
        call = 300_000 * 600_000 + 5_600 * 22_500_000
        assert finding.pico == 310_000 * 12_000_000 - 75_500 * 6_000_000 - call

    def test_a_short_conversation_is_not_worth_compacting(self) -> None:
        messages = [request("m0", hour=80_000), request("m1", "m0", hour=80_000, minute=120)]
        assert _beside_lifetimes(found(messages, items=[base(20_000)])) == []


class TestModelSwitches:
    def test_the_other_model_writes_the_whole_prompt(self) -> None:
        messages = [
            request("m0", hour=50_000),
            request("m1", "m0", hour=51_000, model="claude-opus-4-8", minute=2),
        ]
        assert _beside_lifetimes(found(messages)) == [
            Finding(
                kind="model_switch",
                subject="claude-opus-4-6 to claude-opus-4-8",
                at=2 * MINUTE,
                pico=50_000 * 9_500_000,
                tokens=50_000,
            )
        ]

    @pytest.mark.parametrize(
        "second",
        [
            request("m1", "m0", hour=51_000, minute=2),
            request("m1", "m0", hour=51_000, model="other", minute=61),
            request("m1", "m0", read=50_000, hour=1_000, model="other", minute=2),
            request("m1", "m0", hour=20_000, model="other", minute=2),
            request("m1", "m0", hour=51_000, model="other", rates=None, minute=2),
        ],
    )
    def test_the_same_model_or_a_lapsed_cache_is_no_switch(self, second: Message) -> None:
        assert _beside_lifetimes(found([request("m0", hour=50_000), second])) == []


def _on(subject: str, findings: list[Finding]) -> list[Finding]:
    return [each for each in findings if each.subject == subject]


def _late(messages: list[Message], tokens: int) -> list[Finding]:
    return _of("late_compaction", found(messages, items=[base(tokens)]))


class TestLateCompactions:
    def test_a_long_conversation_would_have_saved_net_of_the_compaction(self) -> None:
        # 20 requests carry 94,500 tokens less; the call reads 160,000 and writes 5,600, and
        # 45,500 tokens are written rather than read.
        messages = [request("m0", hour=160_000)]
        for index in range(1, 21):
            read = 159_000 + 1_000 * index
            messages.append(
                request(f"m{index}", f"m{index - 1}", read=read, write=1_000, minute=index)
            )
        findings = _beside_lifetimes(found(messages, items=[base(20_000)]))
        assert {(each.kind, each.subject): each.pico for each in summed("s", findings)} == {
            ("late_compaction", "100000"): 463_375_000_000,
            ("late_compaction", "150000"): 463_375_000_000,
        }
        first, later = sorted(_on("100000", findings), key=attrgetter("at"))
        assert (first.at, first.count, first.tokens) == (MINUTE, 1, 14 * 94_500)
        assert (later.at, later.count, later.pico) == (15 * MINUTE, 0, 6 * 94_500 * 500_000)

    def test_it_costs_where_too_little_follows(self) -> None:
        messages = [request("m0", hour=160_000), request("m1", "m0", read=160_000, hour=1)]
        picos = {each.subject: each.pico for each in _late(messages, 20_000)}
        # Here 45,500 tokens would have been written for an hour.
        paid = 80_000_000_000 + 140_000_000_000 + 45_500 * 9_500_000
        assert picos == {"100000": 47_250_000_000 - paid, "150000": 47_250_000_000 - paid}

    def test_it_is_compacted_again_when_it_has_grown_again(self) -> None:
        messages = [request("m0", hour=120_000)]
        for index in range(1, 40):
            read = 120_000 + 2_000 * (index - 1)
            messages.append(request(f"m{index}", f"m{index - 1}", read=read, hour=2_000))
        counts = {each.subject: each.count for each in _late(messages, 20_000)}
        assert counts == {"100000": 3, "150000": 1}

    def test_a_size_that_a_compaction_would_not_reach_is_not_tried(self) -> None:
        messages = [request("m0", hour=160_000), request("m1", "m0", read=160_000, hour=1)]
        subjects = {each.subject for each in _late(messages, 60_000)}
        assert subjects == {"150000"}

    def test_the_client_s_own_compaction_ends_what_is_saved(self) -> None:
        messages = [
            request("m0", hour=160_000),
            request("m1", "m0", read=160_000, hour=1),
            request("m2", "m1", read=20_000, hour=140_000),
            request("m3", "m2", read=150_000, hour=1),
        ]
        removals = [Removal(after="m1")]
        findings = _beside_lifetimes(found(messages, items=[base(20_000)], removals=removals))
        assert (findings[0].count, findings[0].tokens) == (2, 94_500 + 84_501)

    def test_what_is_left_costs_what_a_prompt_of_its_length_does(self) -> None:
        # Sonnet 4.5: 3 and 0.3 USD a million up to 200,000 tokens of prompt, twice that beyond.
        book = PriceBook()
        model, start = "claude-sonnet-4-5", 1_761_955_200_000
        rates = book.rates(model, start, prompt_tokens=300_000)
        long: dict[str, Any] = {"model": model, "rates": rates}
        messages = [
            request("m0", hour=300_000, minute=start / MINUTE, **long),
            request("m1", "m0", read=300_000, minute=start / MINUTE + 1, **long),
        ]
        (finding,) = _on("200000", _late(messages, 20_000))
        call = 300_000 * 600_000 + 5_600 * 22_500_000
        rewrite = 45_500 * (3_000_000 - 300_000)
        assert finding.pico == 300_000 * 600_000 - 65_500 * 300_000 - call - rewrite


def _told(key: str, *servers: str, name: str = "mcp_instructions_delta") -> Entry:
    """An attachment in which the client tells of servers."""
    return Entry(key=key, kind="attachment", name=name, bytes=900, after="m0", servers=servers)


class TestUnusedServers:
    def test_a_server_that_is_never_called_costs_its_share(self) -> None:
        entries = [
            _told("a", "github", "linear"),
            _told("b", "github"),
            Entry(key="c", kind="tool", server="linear", bytes=9, after="m1", call="m1"),
        ]
        items = [
            item("a", 6 * USD, kind="attachment", prompt_tokens=9_001),
            item("b", 2 * USD, kind="attachment", prompt_tokens=1_000, entered_at=5),
        ]
        assert _beside_lifetimes(found(TALK, entries, items)) == [
            Finding(
                kind="unused_server",
                subject="github",
                at=5,
                pico=5 * USD,
                tokens=5_500,
                count=2,
            )
        ]

    def test_the_clients_own_tools_have_a_part_of_the_list_of_tools(self) -> None:
        entries = [_told("a", "github", "linear", name="deferred_tools_delta")]
        findings = _beside_lifetimes(found(TALK, entries, [item("a", 3 * USD)]))
        assert [(each.subject, each.pico) for each in findings] == [
            ("github", USD),
            ("linear", USD),
        ]

    def test_it_is_known_by_the_name_that_its_tools_have(self) -> None:
        entries = [
            _told("a", "claude.ai Gmail"),
            Entry(key="c", kind="tool", server="claude_ai_Gmail", bytes=9, after="m1", call="m1"),
        ]
        assert _beside_lifetimes(found(TALK, entries, [item("a")])) == []

    def test_without_money_there_is_no_finding(self) -> None:
        items = [item("a", 0), item("b", 10**9, entered_at=None), item("c", 10**9)]
        entries = [_told(key, "github") for key in "abcd"]
        assert _beside_lifetimes(found(TALK, entries, items)) == []


class TestUncarriedCalls:
    def test_a_call_whose_result_no_request_carried_is_noted(self) -> None:
        entries = [
            Entry(key="c", kind="tool", server="linear", name="x", after="m1", call="m1"),
            Entry(key="d", kind="tool", name="Skill", after="m2", call="m2"),
            Entry(key="e", kind="tool", name="Bash", after="m2", call="m2"),
        ]
        findings = _of("called", found(TALK, entries, [item("c", 0, requests=0)]))
        assert [(each.subject, each.at, each.pico) for each in findings] == [
            ("linear", MINUTE, 0),
            ("Skill", 2 * MINUTE, 0),
        ]
        assert advise(summed("s", findings)) == []

    def test_what_was_carried_is_told_of_by_its_label(self) -> None:
        entries = [Entry(key="c", kind="tool", server="linear", after="m1", call="m1")]
        assert _of("called", found(TALK, entries, [item("c")])) == []

    def test_a_server_that_another_session_called_is_not_reported(self) -> None:
        unused = found(TALK, [_told("a", "linear")], [item("a", kind="attachment")])
        call = Entry(key="c", kind="tool", server="linear", after="m2", call="m2")
        used = found(TALK, [call])
        assert [each.kind for each in advise(summed("s1", unused))] == ["unused_server"]
        assert advise([*summed("s1", unused), *summed("s2", used)]) == []


class TestNotNamedAgain:
    """Read before m1, in a turn that ends before m3."""

    TALK = (
        request("m0", write=20_000),
        request("m1", "m0", read=20_000, write=5_000, minute=1),
        request("m2", "m1", read=25_000, write=1_000, minute=2),
        request("m3", "m2", read=26_000, write=1_000, minute=20),
        request("m4", "m3", read=27_000, write=1_000, minute=40),
    )
    ASKED = Entry(key="u", kind="user", bytes=100, after="m2")
    READ = read_of("a", "m0", size=20_000)

    def _found(self, *entries: Entry, **fields: object) -> list[Finding]:
        attribution = {
            "tokens": 5_000,
            "requests": 4,
            "prompt_tokens": 20_000,
            "entered_with": "m1",
            "entered_at": MINUTE,
            "first_pico": USD,
            "name": "Read",
            **fields,
        }
        items = [item("a", 4 * USD, **attribution)]
        return _of("not_named_again", found(self.TALK, entries, items))

    def test_it_costs_what_carrying_it_after_its_turn_cost(self) -> None:
        findings = sorted(self._found(self.READ, self.ASKED), key=attrgetter("at"))
        rates = [each.usage for each in self.TALK[2:]]
        weights = [
            (500_000 * each.cache_read_tokens + 6_250_000_000) / each.prompt_tokens
            for each in rates
        ]
        assert [
            (each.subject, each.at // MINUTE, each.count, each.tokens) for each in findings
        ] == [
            ("Read", 20, 1, 5_000),
            ("Read", 40, 0, 5_000),
        ]
        for finding, weight in zip(findings, weights[1:], strict=True):
            assert finding.pico == pytest.approx(3 * USD * weight / sum(weights), rel=1e-6)

    def test_within_its_turn_reading_is_its_use(self) -> None:
        assert self._found(self.READ) == []

    @pytest.mark.parametrize("name", ["Read", "Edit", "Grep"])
    def test_what_a_later_call_names_is_used(self, name: str) -> None:
        again = called("b", "m3", name, "/a.py")
        assert self._found(self.READ, self.ASKED, again) == []

    def test_an_earlier_call_is_no_use(self) -> None:
        edit = called("b", "m0", "Edit", "/a.py")
        later = replace(self.READ, call="m1")
        assert len(self._found(edit, later, self.ASKED)) == 2

    def test_parts_of_a_document_are_of_it(self) -> None:
        read = called("a", "m0", "mcp__x__load_content", "content://d/one content://d/two", 20_000)
        again = called("b", "m3", "ReadMcpResource", "content://d/two#part")
        other = called("b", "m3", "ReadMcpResource", "content://d/three")
        assert self._found(read, self.ASKED, again) == []
        assert len(self._found(read, self.ASKED, other)) == 2

    @pytest.mark.parametrize("name", ["Grep", "Edit", "Bash"])
    def test_searches_and_edits_are_no_files(self, name: str) -> None:
        assert self._found(called("a", "m0", name, "/a.py"), self.ASKED) == []

    @pytest.mark.parametrize(
        "fields",
        [{"tokens": 999}, {"entered_with": None}, {"entered_at": None}, {"requests": 2}],
    )
    def test_what_is_small_or_gone_is_none(self, fields: dict[str, object]) -> None:
        assert self._found(self.READ, self.ASKED, **fields) == []


class TestUnusedSkills:
    LISTS = (item("a", USD, kind="attachment", name="skill_listing", basis="measured"),)

    def test_the_list_of_skills_is_carried_for_nothing(self) -> None:
        assert _beside_lifetimes(found(TALK, items=self.LISTS)) == [
            Finding(
                kind="unused_load",
                subject="skills",
                at=7,
                pico=USD,
                tokens=2_000,
                is_measured=True,
            )
        ]

    def test_a_skill_that_is_called_is_what_it_is_for(self) -> None:
        entries = [called("s", "m1", "Skill", "skill:review")]
        assert _beside_lifetimes(found(TALK, entries, self.LISTS)) == []
