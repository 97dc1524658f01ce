"""docs/surface.txt lists what the client, the values and the command really have."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import binance_usdm
from binance_usdm import Client
from binance_usdm._call.error_mapping import make_api_error
from binance_usdm_wire import OPERATIONS
from binance_usdm_wire.error_codes import KIND_BY_CODE
from generator.__main__ import SURFACE, main
from tests.support.command_line import run
from tests.support.paths import SPEC_FILE

TEXT = SURFACE.read_text(encoding="utf-8")
SECTIONS = {
    heading: lines.splitlines() for heading, lines in re.findall(r"(?m)^(\w+)\n((?:  .*\n)+)", TEXT)
}


def test_the_surface_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m generator surface --check` finds no difference."""
    assert main(["surface", "--check"]) == 0
    assert capsys.readouterr() == ("", "")


def test_methods_have_these_signatures() -> None:
    """Names, order, types and defaults are those of the client."""
    for name in OPERATIONS:
        signature = inspect.signature(getattr(Client, name))
        written = str(signature).replace("'", "").replace("(self, ", "(").replace("(self)", "()")
        assert f"  {name}{written}" in SECTIONS["operations"]
    methods = [line for line in SECTIONS["operations"] if not line.startswith("    ")]
    assert len(methods) == len(OPERATIONS)


def test_values_have_these_attributes() -> None:
    """Names, order and types are those of the classes."""
    for operation in OPERATIONS.values():
        row: Any = operation.row_class
        names = [
            name for name in inspect.signature(row).parameters if name != "additional_properties"
        ]
        start = SECTIONS["classes"].index(f"  {row.__name__}") + 1
        lines = [line.split()[:2] for line in SECTIONS["classes"][start:]]
        hints = get_type_hints(row)
        for name in names:
            assert [f"{name}:", hints[name].__name__] in lines, name


def test_hosts_and_commands_are_there() -> None:
    """Each host is a public constant, each command has the options that stand there."""
    for line in SECTIONS["hosts"]:
        name, _, url = line.strip().partition(" = ")
        assert getattr(binance_usdm, name) == url
    for line in SECTIONS["commands"]:
        _, command, *options = line.split()
        help_text = run(command, "--help").stdout
        for option in re.findall(r"--[a-z-]+", " ".join(options)):
            assert option in help_text


def test_codes_raise_these_classes() -> None:
    """Class and permanence of each code are those of the errors that the client raises."""
    codes = [line.strip() for line in SECTIONS["errors"]]
    assert len(codes) == len(KIND_BY_CODE)
    for line in codes:
        match = re.fullmatch(r"(-\d+) \w+: (\w+)(, not retryable)?", line)
        assert match is not None, line
        error = make_api_error(400, int(match[1]), "", None)
        assert type(error).__name__ == match[2]
        assert not (match[3] and error.retryable)


def test_the_surface_is_of_the_given_spec(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--spec FILE surface` reads that file."""
    spec = tmp_path / "openapi.yaml"
    text = SPEC_FILE.read_text(encoding="utf-8")
    spec.write_text(
        text.replace("operationId: balance\n", "operationId: holdings\n"), encoding="utf-8"
    )
    surface = tmp_path / "surface.txt"
    monkeypatch.setattr("generator.__main__.ROOT", tmp_path)
    monkeypatch.setattr("generator.__main__.SURFACE", surface)
    assert main(["--spec", str(spec), "surface"]) == 0
    assert "holdings(" in surface.read_text(encoding="utf-8")
    assert main(["--spec", str(spec), "surface", "--check"]) == 0
    assert main(["surface", "--check"]) == 1
    assert capsys.readouterr().err == "surface.txt: stale or edited\n"


def test_a_spec_with_findings_has_no_surface(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are printed with their places, and nothing is written."""
    spec = tmp_path / "openapi.yaml"
    text = SPEC_FILE.read_text(encoding="utf-8")
    spec.write_text(text.replace("name: UNKNOWN\n", "nome: UNKNOWN\n"), encoding="utf-8")
    assert main(["--spec", str(spec), "surface", "--check"]) == 2
    out, err = capsys.readouterr()
    assert (out, "nothing was written" in err) == ("", True)
