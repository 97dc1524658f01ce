"""Contract tests: the mock exchange and the client against the spec.

- Layer A (`mock_vs_spec`): schemathesis sends requests to the mock. What no schema states
  (signatures, time, keys, weight, faults) is in `mock_checks` and `mock_edge_cases`.
- Layer B (`requests_vs_spec`): schemathesis calls the client through `facade`, with the mock behind
  it. What the client sends is compared, byte for byte, with what schemathesis sends for the case.
- Layer C (`responses_vs_spec`): the client receives described and damaged responses. Each must be
  the value or the error that the spec and `expectations` give it.

`spec_model` and `response_model` derive from the spec what it says. `expectations` has what it does
not say, written by hand. Neither uses code of the product.

`faults` has the seeded faults: each breaks one promise and names the checks that notice it. They
replace private names of the product, all of which stand in `patch_points`.

    python -m tests.contract.run_all                all layers, with a table of what was tried
    python -m tests.contract.run_seeded_faults      every fault, with a table of what noticed it

No layer names an operation. Each is a function of a document:

    assert run_mock_vs_spec(document) == {}             # problems by the name of the check
    assert run_requests_vs_spec(document, sdk) == {}
    assert run_responses_vs_spec(document, sdk) == {}

Two runs do the same: clocks stand still, examples are derandomized, and nothing is stored.
"""
