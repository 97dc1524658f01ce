"""The `spec` command: print the OpenAPI document for other tools.

The documents are files of the generated package, one in each language. Beside them are the JSON
Schema of their extensions and test vectors for clients in other languages.
"""

from __future__ import annotations

import argparse
import sys
from typing import Final

DESCRIPTION: Final = """\
Print the OpenAPI 3.1 document of the operations, as JSON for other tools.

    binance-usdm spec > openapi.json
    binance-usdm spec --language zh > openapi.zh.json
    binance-usdm spec --extensions > extensions.schema.json
    binance-usdm spec --vectors > vectors.json"""


def configure_parser(command: argparse.ArgumentParser) -> None:
    """Add description and option to the parser of the command."""
    command.description = DESCRIPTION
    command.set_defaults(run=_run)
    what = command.add_mutually_exclusive_group()
    what.add_argument(
        "--language", choices=("en", "zh"), default="en", help="language of the texts (default: en)"
    )
    what.add_argument(
        "--extensions", action="store_true", help="print the JSON Schema of the x- keys instead"
    )
    what.add_argument(
        "--vectors",
        action="store_true",
        help="print test vectors instead: signatures, and what responses mean",
    )


def _run(options: argparse.Namespace) -> int:
    # The package may be in a zip file.
    from importlib.resources import files

    package, name = "binance_usdm_wire", f"openapi_{options.language}.json"
    if options.extensions:
        name = "extensions.schema.json"
    elif options.vectors:
        package, name = "binance_usdm", "vectors.json"
    document = files(package).joinpath(name)
    sys.stdout.write(document.read_text(encoding="utf-8"))
    return 0
