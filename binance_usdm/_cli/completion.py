"""The `completion` command: print the script that lets a shell complete this command.

The scripts are files, written from the argument parser by `.ci/completions.py`. Completing needs no
Python.
"""

from __future__ import annotations

import argparse
import sys
from typing import Final

DESCRIPTION: Final = """\
Print a script that completes commands, options and their values.

bash:
    mkdir -p ~/.local/share/bash-completion/completions
    binance-usdm completion bash > ~/.local/share/bash-completion/completions/binance-usdm

zsh, with the first line in ~/.zshrc before compinit:
    fpath+=(~/.zfunc)
    mkdir -p ~/.zfunc && binance-usdm completion zsh > ~/.zfunc/_binance-usdm

fish:
    mkdir -p ~/.config/fish/completions
    binance-usdm completion fish > ~/.config/fish/completions/binance-usdm.fish

Then open a new shell."""
FILE_BY_SHELL: Final = {
    "bash": "binance-usdm.bash",
    "zsh": "_binance-usdm",
    "fish": "binance-usdm.fish",
}


def configure_parser(command: argparse.ArgumentParser) -> None:
    """Add description and argument to the parser of the command."""
    command.description = DESCRIPTION
    command.set_defaults(run=_run)
    command.add_argument("shell", choices=tuple(FILE_BY_SHELL), help="bash, zsh or fish")


def _run(options: argparse.Namespace) -> int:
    # The package may be in a zip file.
    from importlib.resources import files

    script = files("binance_usdm._cli").joinpath("completions", FILE_BY_SHELL[options.shell])
    sys.stdout.write(script.read_text(encoding="utf-8"))
    return 0
