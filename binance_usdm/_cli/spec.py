"""The `spec` command: print the OpenAPI document for other tools.

The documents are files of the generated package, one in each language.
"""

from __future__ import annotations

import argparse
import sys
from typing import Final

DESCRIPTION: Final = """\
Print the OpenAPI 3.1 document of the operations, as JSON for other tools.

    binance-usdm spec > openapi.json
    binance-usdm spec --language zh > openapi.zh.json"""


def configure_parser(command: argparse.ArgumentParser) -> None:
    """Add description and option to the parser of the command."""
    command.description = DESCRIPTION
    command.set_defaults(run=_run)
    command.add_argument(
        "--language", choices=("en", "zh"), default="en", help="language of the texts (default: en)"
    )


def _run(options: argparse.Namespace) -> int:
    # The package may be in a zip file.
    from importlib.resources import files

    document = files("binance_usdm_wire").joinpath(f"openapi_{options.language}.json")
    sys.stdout.write(document.read_text(encoding="utf-8"))
    return 0
