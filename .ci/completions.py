"""Write the completion scripts from the argument parser: part of `make generate`.

With `--check` it writes nothing, and fails when a script is not what the parser gives.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from binance_usdm._cli.completion import FILE_BY_SHELL
from binance_usdm._cli.main import _build_parser

FOLDER: Final = Path(__file__).parents[1] / "binance_usdm" / "_cli" / "completions"
BANNER: Final = "# Written from the argument parser by `make generate`. Do not edit."
PROGRAM: Final = "binance-usdm"
MAX_HELP_LENGTH: Final = 72


class Option(NamedTuple):
    """An option, and what may follow it."""

    flags: tuple[str, ...]
    help: str
    takes_value: bool
    choices: tuple[str, ...]
    takes_file: bool
    is_repeatable: bool


class Command(NamedTuple):
    """A command with the words before it, such as ("mock", "serve")."""

    path: tuple[str, ...]
    options: list[Option]
    subcommands: dict[str, str]
    """Help by name."""
    choices: tuple[str, ...]
    """Values of its positional argument."""
    runs_program: bool


def read_commands() -> list[Command]:
    """Return all commands. The parser has the arguments of one command at a time."""
    top = _read(_build_parser([]), ())
    commands = [command for command in top if not command.path]
    for name in commands[0].subcommands:
        commands += [
            command for command in _read(_build_parser([name]), ()) if name in command.path
        ]
    return commands


def _read(parser: argparse.ArgumentParser, path: tuple[str, ...]) -> list[Command]:
    options: list[Option] = []
    subcommands: dict[str, str] = {}
    choices: tuple[str, ...] = ()
    nested: list[Command] = []
    runs_program = False
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            subcommands = {choice.dest: choice.help or "" for choice in action._choices_actions}
            # Of the commands that are not read now there is no parser.
            for name, subparser in action.choices.items():
                nested += _read(subparser, (*path, name)) if subparser is not None else []
        elif action.option_strings:
            options.append(_option(action))
        elif action.nargs == argparse.REMAINDER:
            runs_program = True
        elif action.choices:
            choices = tuple(map(str, action.choices))
    return [Command(path, options, subcommands, choices, runs_program), *nested]


def _option(action: argparse.Action) -> Option:
    metavar = str(action.metavar or "")
    return Option(
        tuple(action.option_strings),
        _shorten((action.help or "").replace("%%", "%")),
        action.nargs != 0,
        tuple(map(str, action.choices or ())),
        metavar.endswith("FILE"),
        isinstance(action, argparse._AppendAction),
    )


def _shorten(text: str) -> str:
    first = text.partition("; ")[0].partition(": ")[0].partition(" (default")[0]
    if len(first) <= MAX_HELP_LENGTH:
        return first
    return first[: MAX_HELP_LENGTH - 1].rpartition(" ")[0] + "…"


def render_bash(commands: list[Command]) -> str:
    """Return the script for bash."""
    paths = [" ".join(command.path) for command in commands if command.path]
    values, words = [], []
    for command in commands:
        path = " ".join(command.path)
        flags_by_action: dict[str, list[str]] = {}
        for option in command.options:
            if option.takes_value:
                quoted = [shlex.quote(f"{path}:{flag}") for flag in option.flags]
                flags_by_action.setdefault(_bash_values(option), []).extend(quoted)
        values += [
            f"    {'|'.join(flags)}) {action}return ;;" for action, flags in flags_by_action.items()
        ]
        named = [flag for option in command.options for flag in option.flags]
        every = shlex.quote(" ".join([*command.subcommands, *command.choices, *named]))
        words.append(f"    {shlex.quote(path)}) words={every} ;;")
    lines = [
        BANNER,
        "_binance_usdm() {",
        "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}",
        '  local path="" words="" index',
        "  # `--output=csv` is three words.",
        '  if [[ $current == "=" ]]; then',
        '    current=""',
        '  elif [[ $previous == "=" ]]; then',
        "    previous=${COMP_WORDS[COMP_CWORD-2]}",
        "  fi",
        "  for ((index = 1; index < COMP_CWORD; index++)); do",
        '    case "${path:+$path }${COMP_WORDS[index]}" in',
        f"    {'|'.join(map(shlex.quote, paths))}) path=${{path:+$path }}${{COMP_WORDS[index]}} ;;",
        "    esac",
        "  done",
        "  COMPREPLY=()",
        '  case "$path:$previous" in',
        *values,
        "  esac",
        '  case "$path" in',
        *words,
        "  esac",
        '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
        "}",
        f"complete -F _binance_usdm {PROGRAM}",
    ]
    return "\n".join(lines) + "\n"


def _bash_values(option: Option) -> str:
    if option.takes_file:
        return 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$current")); '
    if option.choices:
        choices = shlex.quote(" ".join(option.choices))
        return f'COMPREPLY=($(compgen -W {choices} -- "$current")); '
    return ""


def render_zsh(commands: list[Command]) -> str:
    """Return the script for zsh."""
    functions = []
    for command in commands:
        name = "_".join([f"_{PROGRAM}", *command.path])
        lines = [f"{name}() {{"]
        specs = [spec for option in command.options for spec in _zsh_specs(option)]
        if command.choices:
            specs.append(shlex.quote(f"1:value:({' '.join(command.choices)})"))
        if command.runs_program:
            specs.append("'*::program:_normal'")
        if command.subcommands:
            lines += [
                "  local curcontext=$curcontext state line",
                "  local -a commands=(",
                *(
                    f"    {shlex.quote(f'{sub}:{text}')}"
                    for sub, text in command.subcommands.items()
                ),
                "  )",
            ]
            specs += ["'1: :->command'", "'*:: :->arguments'"]
        lines.append("  _arguments -C \\")
        lines += [f"    {spec} \\" for spec in specs[:-1]]
        lines.append(f"    {specs[-1]}")
        if command.subcommands:
            lines += [
                "  case $state in",
                "    command) _describe command commands ;;",
                "    arguments)",
                "      case $words[1] in",
                *(f"        {sub}) {name}_{sub} ;;" for sub in command.subcommands),
                "      esac ;;",
                "  esac",
            ]
        functions.append("\n".join([*lines, "}"]))
    return "\n".join([f"#compdef {PROGRAM}", BANNER, *functions, f'_{PROGRAM} "$@"', ""])


def _zsh_specs(option: Option) -> Iterator[str]:
    text = option.help
    for character in ("\\", "[", "]", ":"):
        text = text.replace(character, f"\\{character}")
    value = ""
    if option.takes_file:
        value = ":file:_files"
    elif option.choices:
        value = f":value:({' '.join(option.choices)})"
    elif option.takes_value:
        value = ":value: "
    repeat = "*" if option.is_repeatable else ""
    for flag in option.flags:
        yield shlex.quote(f"{repeat}{flag}[{text}]{value}")


def render_fish(commands: list[Command]) -> str:
    """Return the script for fish."""
    lines = [BANNER, f"complete -c {PROGRAM} -f"]
    for command in commands:
        condition = _fish_condition(command)
        for name, text in command.subcommands.items():
            lines.append(f"{condition} -a {name} -d {shlex.quote(text)}")
        if command.choices:
            lines.append(f"{condition} -a {shlex.quote(' '.join(command.choices))}")
        lines += [f"{condition} {_fish_option(option)}" for option in command.options]
    return "\n".join(lines) + "\n"


def _fish_condition(command: Command) -> str:
    tests = [f"__fish_seen_subcommand_from {word}" for word in command.path]
    if command.subcommands:
        tests.append(f"not __fish_seen_subcommand_from {' '.join(command.subcommands)}")
    return f"complete -c {PROGRAM} -n {shlex.quote('; and '.join(tests))}"


def _fish_option(option: Option) -> str:
    parts = [
        f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags
    ]
    if option.takes_file:
        parts.append("-r -F")
    elif option.takes_value:
        parts.append("-x")
    if option.choices:
        parts.append(f"-a {shlex.quote(' '.join(option.choices))}")
    return " ".join([*parts, f"-d {shlex.quote(option.help)}"])


RENDERERS: Final[dict[str, Callable[[list[Command]], str]]] = {
    "bash": render_bash,
    "zsh": render_zsh,
    "fish": render_fish,
}


def main() -> int:
    """Write the scripts, or compare them."""
    commands = read_commands()
    is_check = "--check" in sys.argv[1:]
    code = 0
    for shell, render in RENDERERS.items():
        file = FOLDER / FILE_BY_SHELL[shell]
        text = render(commands)
        if is_check and (not file.exists() or file.read_text(encoding="utf-8") != text):
            print(f"{file.name} is not what the parser gives; run `make generate`", file=sys.stderr)
            code = 1
        elif not is_check:
            FOLDER.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
