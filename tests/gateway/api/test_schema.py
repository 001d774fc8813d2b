"""OpenAPI says the truth: generated requests get the answers that it describes, and no 500."""

from typing import Any, cast

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as openapi_checks

from tests.gateway.serving import Served
from tests.upstream.app import Upstream
from tests.upstream.scripts import greeting

KEYS = {"x-api-key": "key", "authorization": "Bearer key", "anthropic-version": "2023-06-01"}

CHECKS: list[Any] = [
    cast("Any", checks).not_a_server_error,
    *(
        getattr(openapi_checks, f"{name}_conformance")
        for name in ("status_code", "content_type", "response_schema", "response_headers")
    ),
]


@pytest.fixture
def address(any_gateway: Served, any_upstream: Upstream) -> str:
    any_upstream.script(greeting)
    return any_gateway.base_url


@pytest.mark.slow
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_answers_are_as_openapi_describes_them(address: str, mode: GenerationMode) -> None:
    described: Any = schemathesis.openapi.from_url(f"{address}/openapi.json")
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) > 8
    for operation in operations:
        if can_be_generated(operation, mode):
            ask(operation, mode)


def can_be_generated(operation: Any, mode: GenerationMode) -> bool:
    """Whether there are requests that are wrong: who takes nothing takes nothing amiss."""
    is_asked = any(operation.iter_parameters()) or operation.body
    return mode is GenerationMode.POSITIVE or is_asked


def ask(operation: Any, mode: GenerationMode) -> None:
    """Ask some of what may be asked of an operation, or may not."""

    @given(operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=8,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    def answers(case: Any) -> None:
        case.call_and_validate(checks=CHECKS, headers=KEYS)

    answers()


def test_the_description_needs_nothing_from_elsewhere(address: str) -> None:
    described = httpx2.get(f"{address}/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert "http" not in str(described.get("servers", ""))


def test_every_route_says_what_it_is_for(address: str) -> None:
    paths = httpx2.get(f"{address}/openapi.json").json()["paths"]
    operations = [each for path in paths.values() for each in path.values()]
    assert len(operations) > 8
    assert all(each.get("summary") for each in operations)
