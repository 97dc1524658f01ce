"""The table of other people's clients: their programs, and one client that needs nothing installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.interop.compare import OURS, RESULTS, ROOT, SITUATIONS, WORDS, make_table, measure
from tests.interop.install import HERE, command_of, version
from tests.interop.recipes import RECIPES, RECIPES_PAGE, Recipe, run_recipe
from tests.interop.run import CLIENTS
from tests.interop.spec_page import PAGE, scripts_of, write_requests

TOOLS = all(map(shutil.which, ("bash", "curl", "openssl", "od", "sed")))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.interop.run", *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)


def test_every_client_has_its_program_and_an_exact_version() -> None:
    assert {client.program for client in CLIENTS} == {
        path.name for path in HERE.iterdir() if re.match(r"(py|js)_|.*\.sh$", path.name)
    }
    for client in CLIENTS:
        if client.package is not None:
            assert re.fullmatch(r"[0-9]+(\.[0-9]+)+", version(client.program, client.package)), (
                client.name
            )


def test_the_pins_name_no_registry() -> None:
    for path in HERE.glob("re*.txt"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert re.fullmatch(r"[a-z0-9.-]+==[0-9.]+( ; [^;]+)?", line), line
    assert '"resolved"' not in (HERE / "package-lock.json").read_text(encoding="utf-8")


def test_a_tool_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OSError, match="there is no bash"):
        command_of("curl_openssl.sh", "curl-openssl", print)


@pytest.mark.skipif(not TOOLS, reason="bash, curl and openssl are the client")
def test_curl_and_openssl_are_answered_and_refused_as_they_must() -> None:
    done = run("--only", "curl-openssl")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"curl-openssl +\S+ +ok 3 rows +ok -1022 +ok -2015 +ok -1021\n", done.stdout)
    assert "signature=" not in done.stdout + done.stderr


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.program)
def test_a_recipe_stands_in_the_documentation(recipe: Recipe) -> None:
    """The page has the program itself, and names the path of each stub."""
    page = RECIPES_PAGE.read_text(encoding="utf-8")
    assert (HERE / recipe.program).read_text(encoding="utf-8") in page
    for request in recipe.stubs:
        assert f"'{request}=" in page


def test_a_recipe_is_judged() -> None:
    """A recipe is right if it prints what it must and the mock rejected nothing."""
    recipe = Recipe("none.py", "none", "none.py", {"GET /one": "[1]"}, "[1]")
    program = "import os, sys, urllib.request as r\n"
    program += "print(r.urlopen(os.environ['BINANCE_BASE_URL'] + sys.argv[1]).read().decode())"
    command = [sys.executable, "-I", "-S", "-c", program]
    assert run_recipe(recipe, [*command, "/one"]) == "ok"
    assert run_recipe(recipe, [*command, "/fapi/v1/ping"]).startswith("exit 0, printed '{}'")
    assert run_recipe(recipe, [*command, "/two"]).startswith("exit 1, printed ''")


@pytest.mark.parametrize("language", WORDS)
def test_the_tables_are_those_of_the_results(language: str) -> None:
    """The page about other SDKs has the table that was measured, and its date."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    page = ROOT / "docs" / language / "how-to" / "switch.md"
    assert f"\n\n{make_table(results, language)}\n\n" in page.read_text(encoding="utf-8")
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", results["date"])


@pytest.mark.parametrize("case", SITUATIONS)
def test_this_client_does_what_the_table_says(case: str) -> None:
    """Its column is measured again. Those of the others are measured by hand."""
    facts = measure(OURS, [sys.executable, "-I"], case)
    stated = json.loads(RESULTS.read_text(encoding="utf-8"))["results"][OURS][case]
    assert {**facts, "seconds": 0} == {**stated, "seconds": 0}
    if case == "slow":
        assert facts["seconds"] < 3


def test_the_scripts_of_the_page_are_run(tmp_path: Path) -> None:
    """Postman's and Bruno's runner get the scripts as the page has them, ten lines at most."""
    scripts = scripts_of(PAGE.read_text(encoding="utf-8"))
    assert {*scripts} == {"postman.js", "bruno.js"}
    assert all(len(script.splitlines()) <= 10 for script in scripts.values())
    write_requests(tmp_path, scripts)
    collection = json.loads((tmp_path / "collection.json").read_bytes())
    before = collection["item"][0]["event"][0]["script"]["exec"]
    assert before == scripts["postman.js"].splitlines()
    bruno = (tmp_path / "bruno" / "balance.bru").read_text(encoding="utf-8")
    assert all(f"\n  {line}\n" in bruno for line in scripts["bruno.js"].splitlines())
