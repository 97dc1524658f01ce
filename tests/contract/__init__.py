"""Tests of the contract suite `binance_usdm.contract`, run against this package.

The tests run its layers A, B and C against the mock exchange and both clients. `faults` has the
seeded faults: each breaks one promise and names the checks that notice it. They replace private
names of the product, all of which stand in `patch_points`.

    python -m tests.contract.run_all                all layers, with a table of what was tried
    python -m tests.contract.run_seeded_faults      every fault, with a table of what noticed it
    python -m tests.contract.run_spec_changes       every change of the spec, likewise
    python -m tests.contract.run_random             all layers, with a random seed
"""
