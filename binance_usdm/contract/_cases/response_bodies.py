"""Bodies that schemathesis generates from the schema of a response.

The schema becomes that of a request body, so that schemathesis makes valid and invalid ones.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any, Final

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode

from binance_usdm.contract._cases.run_state import current_run
from binance_usdm.contract._cases.schemathesis_internals import is_absent
from binance_usdm.contract._cases.schemathesis_setup import EDGES, Case, generate_cases, load_schema
from binance_usdm.contract._spec.document import JSON_TYPE
from binance_usdm.contract._spec.response_model import DescribedResponse
from binance_usdm.contract._spec.schemas import judged

# Longer lists take schemathesis a minute.
MAX_ITEMS: Final = 3


def generate_bodies(response: DescribedResponse, how: settings = EDGES) -> tuple[bytes, ...]:
    """Return bodies, valid and invalid: all of the coverage phase, and random ones if `how` has."""
    count = how.max_examples if Phase.generate in how.phases else 0
    schemas = response.document.get("components", {}).get("schemas", {})
    components = json.dumps({"schemas": {name: judged(each) for name, each in schemas.items()}})
    return make_bodies(components, json.dumps(judged(response.schema)), count, current_run().seed)


# They depend on the document alone, so all clients share them.
@functools.cache
def make_bodies(components: str, schema: str, count: int, seed: int | None) -> tuple[bytes, ...]:
    """Return bodies of a schema, of which a number are random."""
    content = {JSON_TYPE: {"schema": _limit_lists(json.loads(schema))}}
    operation = {
        "requestBody": {"required": True, "content": content},
        "responses": {"200": {"description": "It was read."}},
    }
    mirror = load_schema(
        {
            "openapi": "3.1.0",
            "info": {"title": "mirror", "version": "1"},
            "paths": {"/body": {"post": operation}},
            "components": {"schemas": _limit_lists(json.loads(components).get("schemas", {}))},
        }
    )
    cases = [case for case in generate_cases(mirror, EDGES) if case.method == "POST"]
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE) if count else ():
        cases += _draw(mirror["/body"]["POST"].as_strategy(generation_mode=mode), count, seed)
    bodies = [_encode(case.body, ascii_only=index % 2 == 1) for index, case in enumerate(cases)]
    return tuple(dict.fromkeys(bodies))


def _draw(strategy: Any, count: int, seed: int | None) -> list[Case]:
    cases: list[Case] = []
    slow = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]

    @settings(
        max_examples=count,
        phases=[Phase.generate],
        derandomize=seed is None,
        database=None,
        deadline=None,
        suppress_health_check=slow,
    )
    @given(strategy)
    def draw(case: Case) -> None:
        cases.append(case)

    draw_all: Callable[[], None] = draw
    if seed is not None:
        draw_all = hypothesis.seed(seed)(draw)
    draw_all()
    return cases


def _encode(body: Any, *, ascii_only: bool) -> bytes:
    if isinstance(body, bytes):
        return body
    if is_absent(body):
        return b""
    return json.dumps(body, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")


def _limit_lists(node: Any) -> Any:
    """Return schemas in which every list has a largest length."""
    if isinstance(node, list):
        return [_limit_lists(each) for each in node]
    if not isinstance(node, dict):
        return node
    types = node.get("type")
    is_list = types == "array" or (isinstance(types, list) and "array" in types)
    limited = {name: _limit_lists(each) for name, each in node.items()}
    if "prefixItems" in node:
        return {**limited, "maxItems": len(node["prefixItems"]) + 1}
    return {**limited, "maxItems": MAX_ITEMS} if is_list else limited
