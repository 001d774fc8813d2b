"""Whole sessions, and forks of them."""

import random
from dataclasses import dataclass, field, replace

from benchmarks.generator import profiles
from benchmarks.generator.billing import Meter, cost_state
from benchmarks.generator.chain import Chain, Envelope, Line
from benchmarks.generator.conversation import Checkpoint, Conversation
from benchmarks.generator.filler import Filler, iso
from benchmarks.generator.profiles import Profile

BACKGROUND_MODEL = "claude-haiku-5-5"
FORK_REST = 0.5  # messages of its own in a fork, of those that a session has; chosen


@dataclass(frozen=True)
class Shape:
    """What a caller fixes of a session; the rest is drawn from the profile."""

    profile: Profile
    start: int  # milliseconds since 1970
    cwd: str = "/home/sam/projects/bookshop"
    branch: str = "main"
    model: str | None = None
    messages: int | None = None  # of the main chain
    shrink: float = 1.0
    first_tools: tuple[str, ...] = ()


@dataclass
class Session:
    """One generated session: its own lines, and those of each subagent's file."""

    session_id: str
    shape: Shape
    lines: list[Line]
    agents: dict[str, list[Line]]
    checkpoints: list[Checkpoint]
    model: str
    ends_with_newline: bool = field(default=True)

    @property
    def folder(self) -> str:
        """The project folder's name: the working directory with dashes."""
        return self.shape.cwd.replace("/", "-")


def generate_session(rng: random.Random, filler: Filler, shape: Shape) -> Session:
    """A session that begins anew."""
    talk = _conversation(rng, filler, shape)
    talk.meter.entered = profiles.FIRST_PROMPT.draw(rng)
    _open(talk)
    return _run(talk, shape, shape.messages or max(1, shape.profile.messages.draw(rng)))


def fork_session(rng: random.Random, filler: Filler, parent: Session, shape: Shape) -> Session:
    """A session whose first lines are its parent's, under its own id, folder and branch.

    Message ids, uuids and timestamps stay. Lines without a uuid are not copied.
    """
    reach = rng.uniform(*profiles.FORK_PREFIX)
    place = parent.checkpoints[max(0, round(reach * len(parent.checkpoints)) - 1)]
    talk = _conversation(rng, filler, replace(shape, model=parent.model))
    envelope = talk.chain.envelope
    renamed = {"sessionId": envelope.session_id, "cwd": envelope.cwd, "gitBranch": envelope.branch}
    talk.chain.clock = max(shape.start, place.clock)
    _queue_prompt(talk)
    copied = (line for line in parent.lines[: place.lines] if "uuid" in line)
    talk.chain.lines += [{**line, **renamed} for line in copied]
    talk.chain.parent, talk.meter.cached = place.parent, place.cached
    talk.checkpoint()
    drawn = int(shape.profile.messages.draw(rng) * FORK_REST)
    return _run(talk, shape, shape.messages or max(1, drawn))


def _conversation(rng: random.Random, filler: Filler, shape: Shape) -> Conversation:
    profile = shape.profile
    envelope = Envelope(
        filler.uuid(),
        shape.cwd,
        shape.branch,
        rng.choice(profile.versions),
        entrypoint="cli" if profile.cost_state else None,
    )
    models = list(profile.models)
    model = shape.model or rng.choices(models, list(profile.models.values()))[0]
    meter = Meter(rng, model, hour=rng.random() < 0.69)  # 1,346 of 1,945 requests write for 1h
    chain = Chain(rng, filler, envelope, shape.start)
    return Conversation(chain, meter, profile, shape.shrink, list(shape.first_tools))


def _open(talk: Conversation) -> None:
    """The lines in front of the first prompt."""
    chain = talk.chain
    _queue_prompt(talk)
    if talk.profile.cost_state:
        session = {"sessionId": chain.envelope.session_id}
        chain.add_loose({"type": "permission-mode", "permissionMode": "default", **session})
    elif chain.rng.random() < 0.3:
        summary = chain.filler.text(30)
        line: Line = {"type": "summary", "summary": summary, "leafUuid": chain.filler.uuid()}
        chain.add_loose(line)
    chain.clock += 500
    data: Line = {"type": "hook_progress", "hookEvent": "SessionStart"}
    data |= {"hookName": "SessionStart:startup", "command": "git status --short"}
    label = chain.filler.uuid()
    chain.progress(data, label, label)


def _run(talk: Conversation, shape: Shape, messages: int) -> Session:
    while talk.requests < messages:
        _between_turns(talk)
        talk.turn(messages - talk.requests)
    chain = talk.chain
    if talk.profile.cost_state:
        background = Meter(talk.rng, BACKGROUND_MODEL, hour=False, spent=talk.meter.spent)
        background.entered = 900  # tokens; a title and the like, which stand in no line
        background.bill(40, current=True)
        session_id = chain.envelope.session_id
        chain.add_loose(cost_state(session_id, talk.meter.spent, chain.clock - shape.start))
    newline = talk.rng.random() >= profiles.NO_FINAL_NEWLINE
    return Session(
        chain.envelope.session_id,
        shape,
        chain.lines,
        talk.agents,
        talk.checkpoints,
        talk.meter.model,
        newline,
    )


def _between_turns(talk: Conversation) -> None:
    """Snapshots, queued prompts and attachments, as often as one turn has of them."""
    chain, profile, rng = talk.chain, talk.profile, talk.rng
    turn = profiles.TURN_REQUESTS.mean
    for _ in range(round(rng.expovariate(1) * profile.snapshots * turn)):
        _snapshot(talk)
    if rng.random() < 0.15:
        _queue_prompt(talk)
    for _ in range(round(rng.expovariate(1) * profile.attachments * turn)):
        words = chain.filler.text(talk.characters(profile.attachment.draw(rng)))
        talk.enter(words)
        attachment: Line = {"type": "edited_text_file", "filename": "notes.md", "snippet": words}
        chain.add({"type": "attachment", "attachment": attachment})


def _queue_prompt(talk: Conversation) -> None:
    """A prompt enters and leaves the queue. The lines have no uuid, so that no fork copies them."""
    chain = talk.chain
    queued: Line = {"type": "queue-operation", "timestamp": iso(chain.clock)}
    queued["sessionId"] = chain.envelope.session_id
    words = chain.filler.text(talk.characters(150))
    chain.add_loose({**queued, "operation": "enqueue", "content": words})
    chain.add_loose({**queued, "operation": "dequeue"})


def _snapshot(talk: Conversation) -> None:
    filler, root = talk.chain.filler, talk.chain.envelope.cwd
    backups: Line = {
        filler.path(root): {"backupFileName": f"{filler.agent_id()}@v1", "version": 1}
        for _ in range(talk.rng.randrange(2 * talk.profile.snapshot_files + 1))
    }
    message = filler.uuid()
    snapshot: Line = {"messageId": message, "trackedFileBackups": backups}
    snapshot["timestamp"] = iso(talk.chain.clock)
    line: Line = {"type": "file-history-snapshot", "messageId": message, "snapshot": snapshot}
    talk.chain.add_loose({**line, "isSnapshotUpdate": False})
