"""Generate generated_client/binance_usdm_wire from spec/openapi.yaml."""

import sys

from .library import library_problem

# Before any module imports the generator library: another version ends in a traceback somewhere.
if _problem := library_problem():
    print(_problem, file=sys.stderr)
    raise SystemExit(2)
