"""One conversation, sent again with a policy."""

from typing import Any
from zlib import crc32

from benchmarks.window_replay.billing import Biller
from benchmarks.window_replay.contents import Contents, Key, blocks_of, texts_of
from benchmarks.window_replay.lawful import Lawful
from benchmarks.window_replay.outcome import Outcome, Reached
from benchmarks.window_replay.regret import Holders
from benchmarks.window_replay.subjects import Edited, Subject, SubjectGaveUpError
from benchmarks.window_sessions import Conversation, Request
from token_tracking.pricing import PriceBook
from token_tracking.window.blocks import PlainMessage

PRICES = PriceBook()

FETCH_OUTPUT_TOKENS = 80
"""What the model writes to fetch one thing again: a call with a handle or a path."""

FETCH_MS = 2_000
"""How long that takes."""


class Replay:
    """One conversation in the hands of one subject."""

    def __init__(
        self, conversation: Conversation, contents: Contents, subject: Subject, window: int
    ) -> None:
        self.outcome = Outcome()
        self._conversation = conversation
        self._contents = contents
        self.subject = subject
        self._window = window
        self._biller = Biller(contents, conversation.base_tokens, PRICES)
        self._holders = Holders(contents)
        self._lawful = Lawful(contents, conversation.requests[0].model)
        self.course: list[Reached] = []
        """The sums after each request."""
        self._history: list[PlainMessage] = []
        self._ends: list[int] = []  # messages of the history behind each of the transcript's
        self._sent_length = 0
        self._missing: set[Key] = set()
        self._fetched: set[Key] = set()

    async def run(self) -> Outcome:
        """Send every request of it, or as many as the subject has the time for."""
        try:
            for request in self._conversation.requests:
                self._go_on(request)
                await self._answer(request)
                self.course.append(Reached.of(self._biller.bill))
        except SubjectGaveUpError as error:
            self.outcome.gave_up = 1
            self.outcome.notes[str(error)] = 1
        self.outcome.bill = self._biller.bill
        self.outcome.cleared = len(self._missing)
        self.outcome.used_again = len(self._fetched)
        return self.outcome

    async def _answer(self, request: Request) -> None:
        missed = await self._send(request, request.at_ms)
        if missed:
            self._fetch(missed)
            await self._send(request, request.at_ms + FETCH_MS, again=True)

    def _go_on(self, request: Request) -> None:
        """Bring the history to what this request was sent with."""
        if request.keep < len(self._ends):
            kept = self._ends[request.keep - 1] if request.keep else 0
            del self._ends[request.keep :]
            del self._history[kept:]
            self._holders.keep(kept)
            self._sent_length = min(self._sent_length, kept)
        for message in request.add:
            self._append(message)
            self._ends.append(len(self._history))

    def _append(self, message: PlainMessage) -> None:
        self._history.append(message)
        self._holders.add(message)

    async def _send(self, request: Request, at_ms: int, *, again: bool = False) -> list[Any]:
        """One request; the blocks that its answer misses."""
        kept, self._sent_length = self._sent_length, len(self._history)
        edited = await self.subject.prepare(self._history, kept, at_ms)
        keys = self._contents.keys(edited.messages)
        used = self._biller.send(edited.messages, keys, request.model, at_ms)
        prompt = used["5m"].prompt_tokens
        missed = [] if again else self._missed(request.answer, keys)
        is_last = request is self._conversation.requests[-1] and not missed
        law = self._lawful.broken(edited.messages, keys, self._history, kept, is_last=is_last)
        self._note(edited, prompt, law, request, at_ms)
        output = FETCH_OUTPUT_TOKENS * len(missed) if missed else request.output_tokens
        bill = self._biller.write if missed else self._biller.answer
        bill(request.model, at_ms, prompt=0 if missed else prompt, output=output)
        self.subject.observe(used, output)
        return missed

    def _missed(self, answer: PlainMessage, keys: list[Key]) -> list[Any]:
        is_original, sent = self._contents.is_original, set(keys)
        gone = [
            key
            for message in self._history
            for block in blocks_of(message)
            if (key := self._contents.key(block)) not in sent
        ]
        if not gone:
            return []
        self._missing.update(gone)
        others = [key.decode() for key in keys if not is_original(key)]
        return self._holders.missed(answer, sent, others)

    def _note(
        self, edited: Edited, tokens: int, law: str | None, request: Request, at_ms: int
    ) -> None:
        outcome = self.outcome
        outcome.seconds.append(edited.seconds)
        outcome.refused += edited.is_refused or tokens > self._window
        outcome.errors += edited.is_error
        if edited.note is not None:
            outcome.notes[edited.note] = outcome.notes.get(edited.note, 0) + 1
        prompt, output = edited.extra
        if prompt or output:
            self._biller.write(request.model, at_ms, prompt=prompt, output=output)
        if law is not None:
            outcome.laws[law] = outcome.laws.get(law, 0) + 1

    def _fetch(self, missed: list[Any]) -> None:
        """The model asks for what it misses, and gets it: one more request, and the same tokens
        once more in the conversation."""
        calls: list[Any] = []
        results: list[Any] = []
        for block in missed:
            key = self._contents.key(block)
            self._fetched.add(key)
            name = f"fetch_{len(self._history)}_{len(calls)}"
            given = {"handle": f"c-{crc32(key):012x}"}
            calls.append({"type": "tool_use", "id": name, "name": "fetch_content", "input": given})
            text = "\n".join(texts_of(block))
            results.append({"type": "tool_result", "tool_use_id": name, "content": text})
        asked: PlainMessage = {"role": "assistant", "content": calls}
        got: PlainMessage = {"role": "user", "content": results}
        tokens = [self._contents.tokens(self._contents.key(block)) for block in missed]
        self._contents.add(asked, [FETCH_OUTPUT_TOKENS] * len(calls))
        self._contents.add(got, tokens)
        for message in (asked, got):
            self._append(message)
