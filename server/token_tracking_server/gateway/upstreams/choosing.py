"""Which upstream a request goes to."""

import re
from fnmatch import translate
from typing import Final

from token_tracking.sources.replies.values import Form
from token_tracking_server.gateway.config.values import GatewayConfig, Upstream
from token_tracking_server.gateway.errors import NotFoundError
from token_tracking_server.gateway.security import KEY_MAKERS, maker_of

_MOST_KNOWN: Final = 1000
"""Models whose upstream is remembered. Whoever makes names up does not fill the memory."""

_LONGEST_NAME: Final = 200

_SPEAK_BOTH: Final = frozenset({"anthropic"})
"""The presets at whose address OpenAI's form is spoken beside their own."""


class Upstreams:
    """The configured upstreams, by name, by a model's pattern, or the default of a form."""

    def __init__(self, config: GatewayConfig) -> None:
        self._named = {upstream.name: upstream for upstream in config.upstreams}
        self._default = {
            "anthropic": self._named[config.default_anthropic],
            "openai": self._named[config.default_openai],
        }
        self._patterns = [
            (upstream, re.compile("|".join(map(translate, upstream.models))))
            for upstream in config.upstreams
            if upstream.models
        ]
        self._known: dict[tuple[Form, str], Upstream] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._named

    def named(self, name: str) -> Upstream:
        """The upstream of this name. Raises `NotFoundError`, which lists those that there are."""
        upstream = self._named.get(name)
        if upstream is None:
            there_are = ", ".join(sorted(self._named))
            raise NotFoundError(f"There is no upstream {name[:64]!r}. There are: {there_are}.")
        return upstream

    def choose(
        self, form: Form, model: str | None, *, name: str | None = None, key: bytes | None = None
    ) -> Upstream:
        """The one that is named, or else whose pattern fits the model, or else the form's default.

        One that is named may have another form by itself: many servers speak both. A caller's key
        that looks like another provider's goes to that one where it speaks the form, and never
        after a pattern.

        Raises:
            NotFoundError: none has this name.
        """
        if name is not None:
            return self.named(name)
        found = self._default[form] if model is None else self._of_model(form, model)
        if key is None or not _is_foreign(key, found):
            return found
        maker = self._named.get(maker_of(key) or "")
        speaks = maker is not None and (maker.form == form or maker.name in _SPEAK_BOTH)
        return maker if maker is not None and speaks else self._default[form]

    def _of_model(self, form: Form, model: str) -> Upstream:
        return self._known.get((form, model)) or self._find(form, model)

    def _find(self, form: Form, model: str) -> Upstream:
        found = next(
            (
                upstream
                for upstream, pattern in self._patterns
                if upstream.form == form and pattern.match(model)
            ),
            self._default[form],
        )
        if len(self._known) < _MOST_KNOWN and len(model) <= _LONGEST_NAME:
            self._known[form, model] = found
        return found


def _is_foreign(key: bytes, upstream: Upstream) -> bool:
    if upstream.own_key() is not None or upstream.name not in KEY_MAKERS:
        return False
    return maker_of(key) not in {None, upstream.name}
