"""Texts of a transcript of which the number of tokens was billed.

- `answer`: a message that ended, and shows nothing but text: its billed output.
- `call`: the same with tool calls. How a model writes a call is not known to the token, so these
  are measured and never learned from.
- `growth`: what tool results added to a prompt: the prompt, less the one before, less the answer
  in between, which was billed too.

Left out is what a transcript does not show as it was billed: thinking, images, attachments, what a
client removed, and answers without an end.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple, cast

from token_tracking.sources.claude_code.billed import read_usage
from token_tracking.sources.claude_code.blocks import BOUNDARIES
from token_tracking.sources.claude_code.chains import Chains, Link
from token_tracking.sources.claude_code.lines import Block, Line, Message, decode_any

Kind = Literal["answer", "call", "growth"]


class Sample(NamedTuple):
    """A text of `counted` tokens of o200k_base, for which a model billed `billed` tokens."""

    model: str
    session: str
    kind: Kind
    billed: int
    counted: int


class Candidate(NamedTuple):
    """A text that was billed, before it is counted. `key` is the message's."""

    key: str
    model: str
    session: str
    kind: Kind
    billed: int
    text: str


class _Answer:
    """A message, as the lines of one file show it."""

    def __init__(self, session: str, parent: str | None) -> None:
        self.session = session
        self.parent = parent
        self.model = ""
        self.prompt = self.output = 0
        self.final = self.opaque = False
        self.texts: dict[str, None] = {}
        self.calls: dict[str, str] = {}

    def see(self, message: Message) -> None:
        """One line of it."""
        billed = read_usage(message.usage)
        if billed is not None:
            self.prompt = max(self.prompt, billed.usage.prompt_tokens)
            self.output = max(self.output, billed.usage.output_tokens)
        self.model = message.model or self.model
        self.final = self.final or message.stop_reason is not None
        for block in message.content if isinstance(message.content, list) else []:
            if block.type == "text" and block.text:
                self.texts[block.text] = None
            elif block.type == "tool_use" and block.id and block.name:
                self.calls[block.id] = _call_text(block)
            else:
                self.opaque = True


class _Entered:
    """What entered after a message, before the next one."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.opaque = False
        self.taken = False


def _call_text(block: Block) -> str:
    """A tool call about as a model writes it: the texts of its input as they are."""
    given = decode_any(block.input)
    fields = cast("dict[str, object]", given) if isinstance(given, dict) else {}
    values = (f"{name}\n{value}" for name, value in fields.items())
    return "\n".join((block.name or "", *values))


class FileSamples:
    """The candidates of one file; give it the lines in file order."""

    def __init__(self, session: str) -> None:
        self._session = session
        self._chains = Chains()
        self._answers: dict[str, _Answer] = {}
        self._entered: dict[str, _Entered] = {}
        self._grown: list[tuple[str, str, list[str]]] = []

    def take(self, line: Line) -> None:
        """One line."""
        link = self._chains.link(line)
        if line.type == "assistant" and line.message is not None:
            self._answer(line, line.message, link)
        elif line.type in {"user", "attachment", "system"}:
            if link.message is not None:
                self._enter(line, self._entered.setdefault(link.message, _Entered()))
            self._chains.move(line, link.next())

    def _answer(self, line: Line, message: Message, link: Link) -> None:
        key = message.id or ""
        if not key.startswith("msg_"):  # others' ids are reused
            return
        answer = self._answers.get(key)
        if answer is None:
            answer = _Answer(line.sessionId or self._session, link.message)
            self._answers[key] = answer
            self._grow(key, link.message)
        answer.see(message)
        self._chains.move(line, Link(key, link.depth + 1, 0, 0))

    def _grow(self, key: str, parent: str | None) -> None:
        entered = self._entered.get(parent or "")
        if parent is None or entered is None:
            return
        if not entered.taken and not entered.opaque:
            self._grown.append((parent, key, list(entered.texts)))
        entered.taken = True

    def _enter(self, line: Line, entered: _Entered) -> None:
        if line.type == "system" and line.subtype not in BOUNDARIES:
            return
        content = None if line.message is None else line.message.content
        blocks = content if isinstance(content, list) else []
        texts = [_result_text(block) for block in blocks]
        if line.type != "user" or line.isCompactSummary or not blocks or None in texts:
            entered.opaque = True
        entered.texts += [text for text in texts if text is not None]

    def candidates(self) -> Iterator[Candidate]:
        """What was billed, at the end of the file."""
        for key, answer in self._answers.items():
            if answer.final and not answer.opaque and (answer.texts or answer.calls):
                kind: Kind = "call" if answer.calls else "answer"
                text = "\n".join((*answer.texts, *answer.calls.values()))
                yield Candidate(key, answer.model, answer.session, kind, answer.output, text)
        for before, after, texts in self._grown:
            first, second = self._answers[before], self._answers[after]
            growth = second.prompt - first.prompt - first.output
            if first.final and first.model == second.model and growth > 0 and texts:
                text = "\n".join(texts)
                yield Candidate(after, second.model, second.session, "growth", growth, text)


def _result_text(block: Block) -> str | None:
    """The text of a tool result; `None` for anything else, and for a result that is not all
    text."""
    if block.type != "tool_result":
        return None
    if isinstance(block.content, str):
        return block.content
    inner = block.content or []
    texts = [each.text for each in inner if each.type == "text" and each.text is not None]
    return "\n".join(texts) if len(texts) == len(inner) else None
