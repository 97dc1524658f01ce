"""The public names of `binance_usdm.contract`: each is explained, and examples run."""

from __future__ import annotations

import inspect
import re
import textwrap

import pytest

import binance_usdm.contract

WITHOUT_DOCSTRING = ("SPEC", "Problems")
EXAMPLE = re.compile(r"^Example:\n((?:    .*\n?|\n)+)", re.MULTILINE)


@pytest.mark.parametrize("name", sorted({*binance_usdm.contract.__all__} - {*WITHOUT_DOCSTRING}))
def test_every_argument_is_explained(name: str) -> None:
    """A docstring names each parameter of a function, and each field of a class."""
    value = getattr(binance_usdm.contract, name)
    documented = inspect.getdoc(value) or ""
    assert documented.endswith((".", ")", "):")) or "Example:" in documented
    parameters = [*inspect.signature(value).parameters]
    explained = re.findall(r"^    (\w+): ", documented, re.MULTILINE)
    # What a check runs is made by `list_checks`.
    assert {*parameters} - {*explained} <= {"run"}


def test_example_of_recorded_responses_runs(capsys: pytest.CaptureFixture[str]) -> None:
    documented = inspect.getdoc(binance_usdm.contract.find_deviations) or ""
    [example] = EXAMPLE.findall(documented)
    exec(textwrap.dedent(example), {})
    assert capsys.readouterr().out == (
        "server_time 200: other type .serverTime: decimal string, not integer\n"
    )
