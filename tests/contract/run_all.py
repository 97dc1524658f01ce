"""Run all layers with random cases, and print a table of what was tried and found.

    python -m tests.contract.run_all [--seed N]

Without a seed every run has the same cases. Exits 1 when anything was found.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence

from binance_usdm.contract._cases.raw_requests import make_exchange
from binance_usdm.contract._cases.run_state import Run
from binance_usdm.contract._layers.layers import Layer, client_layers, mock_layer, run_layers
from binance_usdm.contract._reports.report import TABLE_HEAD, coverage_lines, section_lines
from binance_usdm.contract._spec.document import SPEC
from tests.contract.sdks import HOW, SDKS

LAYERS: Iterable[Layer] = (mock_layer(SPEC, make_exchange), *client_layers(SPEC, SDKS, HOW))


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run all layers with random cases.")
    parser.add_argument("--seed", type=int, help="seed of the random cases")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    run = Run(seed=parse(arguments).seed)
    print(TABLE_HEAD, flush=True)
    found = 0
    for section in run_layers(SPEC, LAYERS, run):
        print("\n".join(section_lines(section)), flush=True)
        found += len(section.findings)
    assert run.coverage is not None
    print("\n".join(coverage_lines(run.coverage)))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
