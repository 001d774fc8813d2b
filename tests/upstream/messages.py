"""Anthropic's Messages API: what a request is answered with."""

from dataclasses import dataclass, field

from tests.upstream.answers import message_of, sampled, usage_of
from tests.upstream.caching import Billed, Cache
from tests.upstream.conversations import TURNS_BETA, Rules, check_conversation
from tests.upstream.counting import text_tokens
from tests.upstream.editing import COMPACT_BETA, Edited, check_edits, compacted, edited, edits_of
from tests.upstream.errors import Refusal, invalid
from tests.upstream.fields import (
    check_breakpoints,
    check_fields,
    check_output,
    check_system,
    check_tools,
)
from tests.upstream.models import Catalog, Model
from tests.upstream.prompts import parts_of, prompt_tokens
from tests.upstream.received import Received
from tests.upstream.scripts import Answer, Failure, Script
from tests.upstream.threads import Threads
from tests.upstream.values import Json
from tests.upstream.versions import check_for_version


@dataclass
class _Sampling:
    """The steps of one request, each with its usage."""

    content: list[Json] = field(default_factory=list[Json])
    iterations: list[Json] = field(default_factory=list[Json])
    billed: list[Billed] = field(default_factory=list[Billed])
    reason: str = "compaction"

    def add(self, kind: str, billed: Billed, output_tokens: int) -> None:
        self.billed.append(billed)
        self.iterations.append({"type": kind, **usage_of(billed, output_tokens)})

    def usage(self) -> Json:
        """The message's own counts. A compaction is counted in `iterations` only."""
        own = next((each for each in self.iterations if each["type"] == "message"), None)
        total = {**own} if own else usage_of(Billed(), 0)
        total.pop("type", None)
        compacted_here = any(each["type"] == "compaction" for each in self.iterations)
        return {**total, "iterations": self.iterations} if compacted_here else total


class Messages:
    """The endpoints, without their transport. `check_signatures` says whether a thinking block
    must be one that this server gave."""

    def __init__(self, catalog: Catalog, cache: Cache) -> None:
        self.check_signatures = True
        self._threads = Threads()
        self._catalog = catalog
        self._cache = cache

    def create(self, received: Received, script: Script) -> tuple[Json, Answer]:
        """`POST /v1/messages`: the message, and the step it was made of. Raises `Refusal`."""
        request, model = self._checked(received, counting=False)
        edit = edited(request)
        self._check_length(model, edit)
        turn = script.next(received)
        if isinstance(turn, Failure):
            raise Refusal(turn.status, turn.message, turn.all_headers)
        message = self._sampled(edit, model, turn, received)
        if request.get("context_management") is not None:
            message["context_management"] = {"applied_edits": edit.applied}
        self._threads.hold(received.json, request, message)
        received.usage, received.message_id = message["usage"], message["id"]
        return message, turn

    def count(self, received: Received) -> Json:
        """`POST /v1/messages/count_tokens`. Raises `Refusal`."""
        request, _ = self._checked(received, counting=True)
        edit = edited(request)
        answer: Json = {"input_tokens": prompt_tokens(edit.request)}
        if edits_of(request):
            answer["context_management"] = {"original_input_tokens": edit.original_tokens}
        return answer

    def _checked(self, received: Received, *, counting: bool) -> tuple[Json, Model]:
        request = self._threads.whole(received.json)
        check_fields(request, counting=counting)
        model = self._catalog.get(request["model"])
        if not counting:
            check_output(request, model)
        check_system(request.get("system"))
        check_tools(request.get("tools"))
        thinking: Json = request.get("thinking") or {}
        rules = Rules(
            prefill=model.prefill,
            thinking=thinking.get("type") == "enabled",
            compacts=COMPACT_BETA in received.betas,
            signatures=self.check_signatures,
            turns=TURNS_BETA in received.betas,
        )
        check_conversation(request["messages"], rules)
        check_for_version(request, received.headers["anthropic-version"])
        check_breakpoints(request)
        check_edits(request, received.betas, compacts=model.compacts)
        return request, model

    def _check_length(self, model: Model, edit: Edited) -> None:
        tokens = prompt_tokens(edit.request)
        if tokens > model.context:
            raise invalid(f"prompt is too long: {tokens} tokens > {model.context} maximum")

    def _sampled(self, edit: Edited, model: Model, answer: Answer, received: Received) -> Json:
        request, sampling = edit.request, _Sampling()
        paused = False
        if edit.compaction is not None:
            self._compact(edit, model, answer, sampling)
            if answer.summary is not None:
                request = compacted(request, answer.summary)
            paused = bool(edit.compaction.get("pause_after_compaction"))
        if not paused:
            content, sampling.reason, tokens = sampled(answer, request["max_tokens"])
            sampling.add("message", self._bill(request, model), tokens)
            sampling.content += content
        received.billed = sampling.billed
        return message_of(model.id, sampling.content, sampling.reason, sampling.usage())

    def _compact(self, edit: Edited, model: Model, answer: Answer, sampling: _Sampling) -> None:
        """One step of its own reads the whole prompt and writes the summary."""
        tokens = max(1, text_tokens(answer.summary or ""))
        sampling.add("compaction", self._bill(edit.request, model), tokens)
        sampling.content.append({"type": "compaction", "content": answer.summary})

    def _bill(self, request: Json, model: Model) -> Billed:
        return self._cache.bill(model.id, parts_of(request), model.min_cached)
