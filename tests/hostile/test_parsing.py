"""Each response of the catalogue on the parser and the reader alone."""

from __future__ import annotations

import pytest

from tests.hostile.bodies import WRONG_VALUES
from tests.hostile.catalogue import FAMILIES
from tests.hostile.error_responses import EVERY_STATUS, HINTS
from tests.hostile.framing import IN_THE_FRAME
from tests.hostile.parsing import can_parse, find_problems

READ_ALONE = {"wrong values": WRONG_VALUES, "every status": EVERY_STATUS, "hints": HINTS}
CUT_AT_EACH_BYTE = {*IN_THE_FRAME, "interim"}
PARSED = {
    name: [behavior for behavior in family if can_parse(behavior)]
    for name, family in {**FAMILIES, **READ_ALONE}.items()
    if name != "tls"
}


@pytest.mark.promise("R16", "S14", "S15")
@pytest.mark.parametrize("family", PARSED)
def test_a_response_has_one_outcome(family: str) -> None:
    """As sent, in other pieces, cut short and bounded, every response is read or rejected."""
    problems = [
        f"{behavior.name}: {problem}"
        for behavior in PARSED[family]
        for problem in find_problems(behavior, family in CUT_AT_EACH_BYTE)
    ]
    assert problems == []


def test_hardly_any_behavior_is_left_out() -> None:
    """Only what depends on the request or begins with TLS is not parsed."""
    assert sum(map(len, PARSED.values())) > 2000
    assert {
        name: len(FAMILIES[name]) - len(PARSED[name]) for name in FAMILIES if name != "tls"
    } == {
        **dict.fromkeys(FAMILIES.keys() - {"tls"}, 0),
        "time": 2,
        "echoes": 9,
    }
