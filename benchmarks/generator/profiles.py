"""The statistics that generated sessions follow.

Each figure was measured on the 38 sessions of the shared corpus; the same figures of any tree are
printed by `python -m benchmarks.transcripts --stats DIR`. Claude Code before 2.1.59 writes other
transcripts than later versions (28 and 10 of those sessions), hence two profiles. What the corpus
does not hold (forks, subagent files, cost-state lines, a missing final newline) follows the real
transcripts that the design describes; such a figure says so.
"""

import random
from dataclasses import dataclass, field
from math import log, sqrt

FORK_OF_SESSION = 0.48  # with the prefix below, 28% of all ids stand in several sessions (design)
FORK_PREFIX = (0.6, 1.0)  # part of the parent's turns that a fork copies; chosen, see above
NO_FINAL_NEWLINE = 0.44  # of files (design)
SYNTHETIC_MESSAGE = 0.0005  # 1 of 1,945 messages of main chains is `<synthetic>`
EARLIER_FORMAT = 0.75  # of sessions: 62% of the corpus's messages are from before 2.1.59


@dataclass(frozen=True)
class Size:
    """A log-normal size, fixed by the median and mean that were measured; at most `most`."""

    median: float
    mean: float
    most: int = 250_000

    def draw(self, rng: random.Random) -> int:
        """One size, in the unit of the figures (characters, tokens, lines)."""
        spread = sqrt(2 * log(self.mean / self.median))
        return min(self.most, int(rng.lognormvariate(log(self.median), spread)))


@dataclass(frozen=True)
class Tool:
    """How often a tool is used (a weight) and the characters of its input."""

    weight: float
    text: Size


@dataclass(frozen=True)
class Profile:
    """What one generation of Claude Code writes. Rates are per message unless they say else."""

    versions: tuple[str, ...]
    models: dict[str, float]
    messages: Size  # of a session (43 and 74 in the corpus; more here, since forks are short)
    thinking: float
    text: float
    another_tool: float  # chance of one more parallel tool use, after each
    tools: dict[str, Tool]
    thinking_text: Size
    signature: Size
    answer: Size
    result: Size
    original_file: Size  # an edit's result repeats the file
    final: float  # messages whose lines carry a stop_reason
    rising: float  # messages whose later lines report more output than the first
    hook_progress: float = 0.0
    bash_with_progress: float = 0.0  # of Bash uses
    bash_progress: Size = field(default=Size(4, 25.5, 408))  # lines of one use
    bash_output: Size = field(default=Size(430, 450, 4_000))
    attachments: float = 0.0
    attachment: Size = field(default=Size(230, 2_100, 35_000))
    snapshots: float = 0.0
    snapshot_files: int = 6
    agent_requests: Size = field(default=Size(16, 25.5, 66))  # of one subagent
    compaction_tokens: int = 167_000  # the prompt at which it starts (preTokens in the corpus)
    agents_in_files: bool = False
    cost_state: bool = False


# Requests of a turn: 7.8 on average in the corpus; a session's end cuts its last turn short.
TURN_REQUESTS = Size(5, 11, 91)
# Characters of what the user types, and of a session's first prompt in tokens (system, tools).
USER_TEXT = Size(75, 240, 19_000)
FIRST_PROMPT = Size(36_000, 38_000, 80_000)
EARLIER = Profile(
    versions=("2.0.76", "2.1.12", "2.1.17", "2.1.30", "2.1.38", "2.1.49"),
    models={"claude-opus-4-6": 6, "claude-opus-4-5-20251101": 3, "claude-sonnet-4-5-20250929": 2},
    messages=Size(42, 62, 400),
    thinking=0.50,
    text=0.54,
    another_tool=0.28,
    tools={
        "Bash": Tool(454, Size(110, 260, 13_000)),
        "Read": Tool(301, Size(60, 61, 145)),
        "Edit": Tool(226, Size(900, 1_400, 12_000)),
        "Grep": Tool(182, Size(110, 112, 240)),
        "TaskUpdate": Tool(107, Size(48, 49, 175)),
        "Glob": Tool(27, Size(45, 55, 109)),
        "Task": Tool(17, Size(800, 1_237, 4_500)),
        "TodoWrite": Tool(21, Size(510, 514, 700)),
        "Write": Tool(19, Size(6_000, 8_000, 27_000)),
        "Skill": Tool(6, Size(20, 30, 400)),
    },
    thinking_text=Size(160, 387, 7_000),
    signature=Size(448, 833, 17_000),
    answer=Size(99, 249, 2_600),
    result=Size(284, 2_450, 84_000),
    original_file=Size(15_000, 28_000, 200_000),
    final=0.01,
    rising=0.13,
    hook_progress=0.54,
    bash_with_progress=110 / 454,
    snapshots=0.13,
    snapshot_files=2,
)

CURRENT = Profile(
    versions=("2.1.101", "2.1.119", "2.1.204", "2.1.270", "2.1.301"),
    models={
        "claude-opus-4-6": 3,
        "claude-opus-5-5": 4,
        "claude-sonnet-5-5": 2,
        "claude-haiku-5-5": 1,
    },
    messages=Size(56, 105, 500),
    thinking=0.21,
    text=0.47,
    another_tool=0.18,
    tools={
        "Bash": Tool(184, Size(150, 246, 1_500)),
        "Read": Tool(156, Size(60, 61, 143)),
        "Edit": Tool(143, Size(580, 1_120, 12_600)),
        "TaskUpdate": Tool(138, Size(45, 46, 237)),
        "Write": Tool(39, Size(2_200, 4_560, 30_000)),
        "Agent": Tool(7, Size(1_900, 3_000, 15_000)),  # 31 in the corpus, which lacks their files
        "Grep": Tool(27, Size(110, 112, 213)),
        "mcp__github__list_issues": Tool(12, Size(60, 70, 200)),  # ToolSearch in the corpus
        "WebFetch": Tool(11, Size(260, 300, 543)),
        "Skill": Tool(7, Size(20, 30, 348)),
    },
    thinking_text=Size(1, 1.01, 1),  # later versions leave the text out
    signature=Size(1_708, 3_014, 50_000),
    answer=Size(114, 456, 5_300),
    result=Size(187, 983, 42_000),
    original_file=Size(3_600, 6_100, 43_000),
    final=0.9,  # 1.0 in the corpus; real trees also hold a last request that was interrupted
    rising=0.1,  # chosen: none in the corpus
    attachments=0.25,
    snapshots=0.22,
    compaction_tokens=400_000,  # chosen: current models have a window of a million tokens
    agents_in_files=True,
    cost_state=True,
)
