"""Run the code blocks of a page against a mock exchange, as a reader would.

    python -m tests.docs.run_page [--every-block] docs/en/index.md

- Every block meets a new exchange, in the environment variables that `binance-usdm mock run` sets,
  and with the weight budget that clients have against the real one.
- All blocks of a page share one folder. A block with a title is saved there and not run. One with
  the title `balance.json` is also what the exchange returns from then on.
- A Python block that does not begin with an import continues the one before it. One with tests is
  run by pytest.
- A `sh` block is run by bash.
- A `text` block right behind a block is what it prints; … stands for any characters of a line.
- A block marked `no-run` is run with `--every-block` only: it needs packages or programs that the
  development environment does not have.

Prints one line for each problem and exits with 1 if there is any.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import os
import re
import subprocess
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import Any, Final

from binance_usdm import reset_shared_state
from binance_usdm._config.environment import without_proxy_for
from binance_usdm._config.mock_environment import ENV_MOCK_URLS
from binance_usdm.mock import Exchange, running
from tests.docs.pages import Block, read_blocks

# Blocks that are run on demand may install packages.
_SHELL_SECONDS: Final = 600
_BALANCE_FILE: Final = "balance.json"
_LANGUAGES: Final = {"python", "sh"}


class PageRunner:
    """Runs blocks one after the other, in the current folder.

    Args:
        exchange: Exchange that is served. It is reset before each block.
        environment: Environment variables of each block.
    """

    def __init__(self, exchange: Exchange, environment: dict[str, str]) -> None:
        self._exchange = exchange
        self._environment = environment
        self._namespace: dict[str, Any] = {}
        self._balance: bytes | None = None

    def save(self, block: Block) -> None:
        """Write a block with a title into the folder."""
        Path(block.title).write_text(block.code, encoding="utf-8")
        if block.title == _BALANCE_FILE:
            self._balance = block.code.encode()

    def run(self, block: Block) -> str:
        """Run a block and return what it printed on stdout.

        Raises:
            Exception: What the block raised, or a failure of its command.
        """
        self._exchange.reset()
        if self._balance is not None:
            self._exchange.seed("balance", self._balance)
        reset_shared_state()
        os.environ.clear()
        os.environ.update(self._environment)
        try:
            if block.language == "sh":
                return self._run_shell(block)
            if re.search(r"^(?:async )?def test_", block.code, re.MULTILINE):
                return self._run_tests(block)
            return self._run_python(block)
        finally:
            _reset_logging()

    def _run_shell(self, block: Block) -> str:
        done = subprocess.run(
            ["bash", "-euc", block.code],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_SHELL_SECONDS,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"exit {done.returncode}: {done.stderr}")
        return done.stdout

    def _run_tests(self, block: Block) -> str:
        import pytest

        name = f"test_line_{block.line}.py"
        Path(name).write_text(block.code, encoding="utf-8")
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            code = pytest.main(["-q", "-p", "no:cacheprovider", "-W", "error", name])
        if code:
            raise RuntimeError(output.getvalue())
        return ""

    def _run_python(self, block: Block) -> str:
        if re.match(r"(?:import|from) ", block.code):
            self._namespace = {"__name__": "__main__"}
        # Lines of tracebacks are those of the page.
        code = compile("\n" * (block.line - 1) + block.code, "page", "exec")
        output = io.StringIO()
        with contextlib.redirect_stdout(output), warnings.catch_warnings():
            warnings.simplefilter("error")
            # The block is what this program is for.
            exec(code, self._namespace)
        return output.getvalue()


def _reset_logging() -> None:
    """Forget what a block configured: its stream is gone."""
    logging.root.handlers.clear()
    logging.root.setLevel(logging.WARNING)
    package = logging.getLogger("binance_usdm")
    package.setLevel(logging.NOTSET)
    package.handlers[:] = [logging.NullHandler()]


def matches(output: str, expected: str) -> bool:
    """Return whether a block printed what the page shows."""
    # A last line without a newline is shown like one with it.
    pattern = re.escape(expected.removesuffix("\n")).replace("…", "[^\n]*")
    return re.fullmatch(pattern, output.removesuffix("\n")) is not None


def problem_of(runner: PageRunner, block: Block, following: Block | None) -> str:
    """Run a block and return what is wrong with it, "" if nothing is."""
    try:
        output = runner.run(block)
    except BaseException:  # noqa: BLE001
        return traceback.format_exc()
    expected = following.code if following is not None and following.language == "text" else ""
    if matches(output, expected):
        return ""
    return f"printed\n{output}instead of\n{expected}"


def run_blocks(blocks: list[Block], every_block: bool) -> list[str]:
    """Run the blocks of a page in an empty folder and return the problems."""
    exchange = Exchange()
    problems = []
    with (
        running(exchange) as url,
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
    ):
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        runner = PageRunner(
            exchange,
            {
                **{name: os.environ[name] for name in os.environ if name != ENV_MOCK_URLS},
                **without_proxy_for(url, os.environ),
                "PATH": path,
                "PYTHONIOENCODING": "utf-8",
                # The other plugins of the development environment take seconds to load.
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "PYTEST_PLUGINS": "binance_usdm._pytest_plugin",
                "BINANCE_API_KEY": exchange.api_key,
                "BINANCE_API_SECRET": exchange.api_secret,
                "BINANCE_BASE_URL": url,
            },
        )
        sys.path.insert(0, folder)
        for number, block in enumerate(blocks):
            if block.title:
                runner.save(block)
            elif block.language in _LANGUAGES and (block.runs or every_block):
                following = blocks[number + 1] if number + 1 < len(blocks) else None
                problem = problem_of(runner, block, following)
                if problem:
                    problems.append(f"{block.line}: {problem}")
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the code blocks of a page.")
    parser.add_argument("page", type=Path)
    parser.add_argument("--every-block", action="store_true", help="also those marked no-run")
    arguments = parser.parse_args()
    blocks = read_blocks(arguments.page.read_text(encoding="utf-8"))
    problems = run_blocks(blocks, arguments.every_block)
    for problem in problems:
        print(f"{arguments.page}:{problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
