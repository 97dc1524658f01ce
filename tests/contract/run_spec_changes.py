"""Every change of one fact of the spec, and the checks that notice it, as a table.

    python -m tests.contract.run_spec_changes [--only WORDS] [--processes N]

Progress goes to stderr, the table, in Markdown, to stdout. Exits 1 when a check does not notice a
change that names it, or when something notices a change that states why nothing can.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

from binance_usdm import Client
from binance_usdm.contract import SPEC, ContractCheck, list_checks
from binance_usdm.mock import Exchange
from tests.contract.spec_changes import CHANGE_BY_NAME
from tests.contract.spec_changes.change import SpecChange


@dataclass(frozen=True)
class ChangeResult:
    """Which checks noticed a change."""

    name: str
    noticed_by: frozenset[str]
    seconds: float

    @property
    def change(self) -> SpecChange:
        return CHANGE_BY_NAME[self.name]

    @property
    def verdict(self) -> str:
        """What became of the change; in capitals when it is not as it must be."""
        if self.change.reason:
            return "WRONGLY NOTICED" if self.noticed_by else "stated why not"
        if not self.noticed_by:
            return "MISSED"
        return "noticed" if self.change.noticed_by <= self.noticed_by else "NOT BY ALL"


def unchanged_mock(**options: Any) -> Exchange:
    """Return a mock exchange of the spec, whichever document it is compared with."""
    return Exchange(**{**options, "spec": SPEC})


def checks_of(change: SpecChange) -> list[ContractCheck]:
    """Return the checks of all layers that compare this product with the changed document."""
    document = change.document()
    return list_checks(client=Client, mock=unchanged_mock, document=document, max_examples=0)


def run_change(name: str, checks: frozenset[str] | None = None) -> ChangeResult:
    """Compare the product with a changed document, by all checks or by some of them."""
    started_at = time.monotonic()
    chosen = [
        each for each in checks_of(CHANGE_BY_NAME[name]) if checks is None or str(each) in checks
    ]
    noticed_by = frozenset(str(each) for each in chosen if notices(each))
    return ChangeResult(name, noticed_by, time.monotonic() - started_at)


def notices(check: ContractCheck) -> bool:
    try:
        return bool(check.run())
    except Exception:  # noqa: BLE001 - the document is one that the product does not know
        return True


def iter_table(results: list[ChangeResult]) -> Iterator[str]:
    yield "| change of the spec | noticed by |"
    yield "|---|---|"
    for result in results:
        # The checks that it names stand for all that notice it.
        checks = ", ".join(f"`{each}`" for each in sorted(result.change.noticed_by))
        others = len(result.noticed_by - result.change.noticed_by)
        more = f" and {others} more" if others else ""
        reason = f"nothing: {result.change.reason}"
        yield f"| {result.name} | {f'{checks}{more}' if checks else reason} |"


def summarize(results: list[ChangeResult]) -> tuple[list[str], bool]:
    """Return lines about all results, and whether they are as the table of changes says."""
    stated = [result for result in results if result.change.reason]
    wrong = [result for result in results if result.verdict.isupper()]
    noticed = len(results) - len(stated) - len([each for each in wrong if not each.change.reason])
    lines = [
        f"{noticed} of {len(results) - len(stated)} changes of the spec noticed.",
        f"{len(stated)} changes state why nothing can notice them.",
    ]
    for result in wrong:
        checks = f"{sorted(result.noticed_by)}, not {sorted(result.change.noticed_by)}"
        lines.append(f"- {result.verdict}: {result.name}: {checks}")
    return lines, not wrong


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="changes whose name contains this")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    names = [name for name in CHANGE_BY_NAME if options.only in name]
    results: list[ChangeResult] = []
    with ProcessPoolExecutor(options.processes, multiprocessing.get_context("spawn")) as pool:
        for result in pool.map(run_change, names):
            results.append(result)
            progress = f"[{len(results):>3}/{len(names)}] {result.seconds:5.1f} s"
            line = f"{progress}  {result.verdict:<18} {result.name}"
            print(line, file=sys.stderr, flush=True)
    lines, is_good = summarize(results)
    print("\n".join([*iter_table(results), "", *lines]))
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
