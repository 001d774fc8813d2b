"""Tools that refuse what they do not know, in words that a model can act on."""

from collections.abc import Callable
from typing import Any, Self, cast

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.types import ToolAnnotations
from pydantic import ValidationError

from token_tracking.errors import TokenTrackingError


class StrictTool(Tool):
    """A tool whose errors reach the model: unknown arguments (which the SDK would ignore), wrong
    ones, and those of this project (of which the SDK would tell the name of the tool only)."""

    @classmethod
    def of(
        cls,
        function: Callable[..., Any],
        title: str,
        annotations: ToolAnnotations,
        meta: dict[str, Any] | None = None,
    ) -> Self:
        """A tool of a function; its docstring is what the model reads, `meta` what hosts do."""
        tool = cls.from_function(
            function,
            title=title,
            description=" ".join((function.__doc__ or "").split()),
            annotations=annotations,
            meta=meta,
            # A client that shows only structured output would hide the Markdown.
            structured_output=False,
        )
        tool.parameters = {**_pruned(tool.parameters), "additionalProperties": False}
        return cast("Self", tool)

    async def run(
        self,
        arguments: dict[str, Any],
        context: Context[Any, Any],
        convert_result: bool = False,
    ) -> Any:
        known: dict[str, Any] = self.parameters.get("properties", {})
        if unknown := sorted(arguments.keys() - known.keys()):
            raise ToolError(
                f"{self.name}: unknown argument{'s' if len(unknown) > 1 else ''}"
                f" {', '.join(unknown)}. Known: {', '.join(known)}."
            )
        try:
            return await super().run(arguments, context, convert_result=convert_result)
        except ToolError as error:
            cause = error.__cause__
            if isinstance(cause, ValidationError):
                # The SDK logs no values of the caller's where the cause is this one.
                raise ToolError(f"{self.name}: {_problems(cause)}") from cause
            if isinstance(cause, TokenTrackingError):
                raise ToolError(str(cause)) from error
            raise


def _problems(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False)
    )


def _pruned(schema: dict[str, Any]) -> dict[str, Any]:
    """Without what pydantic adds and a model does not need: titles, and `null` as a choice."""
    properties: dict[str, Any] = {
        name: _pruned_property(each) for name, each in schema.get("properties", {}).items()
    }
    kept = {key: value for key, value in schema.items() if key != "title"}
    return {**kept, "properties": properties}


def _pruned_property(schema: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in schema.items() if key not in {"title", "anyOf"}}
    kept = {**_only_choice(schema.get("anyOf", [])), **kept}
    if kept.get("default", kept) is None:
        del kept["default"]
    if kept.get("additionalProperties") is True:
        del kept["additionalProperties"]
    return kept


def _only_choice(choices: list[dict[str, Any]]) -> dict[str, Any]:
    given = [each for each in choices if each != {"type": "null"}]
    return given[0] if len(given) == 1 else {"anyOf": given} if given else {}
