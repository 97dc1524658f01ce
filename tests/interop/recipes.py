"""The recipes of the documentation: programs of other clients that need a path beyond the spec."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.interop.install import HERE, SCRATCH, command_of

SECONDS: Final = 60
RECIPES_PAGE: Final = HERE.parents[1] / "docs" / "en" / "how-to" / "test-your-program.md"


@dataclass(frozen=True)
class Recipe:
    """A program of the documentation.

    Attributes:
        program: Its file, beside this one.
        client: Name of the client whose environment it runs in.
        client_program: Program of that client, which names its requirements.
        stubs: JSON body by method and path.
        printed: What it prints.
    """

    program: str
    client: str
    client_program: str
    stubs: dict[str, str]
    printed: str


RECIPES: Final = (
    Recipe(
        "recipe_ccxt.py",
        "ccxt-python",
        "py_ccxt.py",
        {
            "GET /fapi/v1/exchangeInfo": '{"symbols": []}',
            "GET /fapi/v3/account": (
                '{"assets": [{"asset": "USDT", "marginBalance": "5.10", "initialMargin": "0", '
                '"availableBalance": "4.00", "updateTime": 1617939110373}]}'
            ),
        },
        "5.1",
    ),
    Recipe(
        "recipe_python_binance.py",
        "python-binance",
        "py_python_binance.py",
        {"GET /api/v3/ping": "{}"},
        "122607.35137903",
    ),
)


def run_recipe(recipe: Recipe, command: list[str]) -> str:
    """Run a recipe with `mock run --strict`, and return "ok" or what was wrong.

    Args:
        recipe: The recipe.
        command: Python of the client's environment, with its options.
    """
    SCRATCH.mkdir(parents=True, exist_ok=True)
    arguments = ["mock", "run", "--strict"]
    for number, (request, body) in enumerate(recipe.stubs.items()):
        file = SCRATCH / f"{recipe.program}.{number}.json"
        file.write_text(body, encoding="utf-8")
        arguments += ["--stub", f"{request}={file}"]
    done = subprocess.run(
        [sys.executable, "-m", "binance_usdm", *arguments, "--", *command],
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS,
        check=False,
    )
    if (done.returncode, done.stdout.strip()) == (0, recipe.printed):
        return "ok"
    return f"exit {done.returncode}, printed {done.stdout.strip()!r}\n{done.stderr[-800:]}"


def run_recipes(say: Callable[[str], None], client: str | None = None) -> bool:
    """Run the recipes, or those of one client, and return whether all were right."""
    verdicts = []
    for recipe in RECIPES:
        if client not in (None, recipe.client):
            continue
        try:
            command = command_of(recipe.client_program, recipe.client, say)
        except (OSError, subprocess.CalledProcessError) as error:
            verdicts.append("not installed")
            say(f"{recipe.program}: {recipe.client} could not be installed: {error}")
            continue
        verdicts.append(run_recipe(recipe, [*command[:-1], str(HERE / recipe.program)]))
        say(f"{recipe.program}: {verdicts[-1]}")
    return all(verdict == "ok" for verdict in verdicts)
