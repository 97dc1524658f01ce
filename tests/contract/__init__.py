"""Contract tests: the mock against the spec, the client against it in both directions, and the proof that a fault would be noticed.

Layer A (`mock_vs_spec`): schemathesis is the caller and the mock exchange the server. What schemathesis cannot know (signatures,
the time window, repeated parameters, weight, scripted faults) stands in small tables beside it.
Layer B (`requests_vs_spec`): schemathesis calls the client through an ASGI facade, with the mock behind it. What left the client is
compared with what schemathesis itself made of the same case, byte for byte. A recorder stands in
for the network of both clients, once as a transport of the caller's and once in the place of their default one.
Layer C (`responses_vs_spec`): the document turned round (`response_bodies`): what it says of a response becomes a request body, so
that schemathesis makes good and bad ones. Every good one comes out of the client typed and digit for digit, every other is the error of
the tree that the document and the tables (`error_tables`, `value_tables`) give it: statuses, codes, waits, texts that only look like
JSON, faults of the mock. The network of the client is a canned response (`response_cases`).
Beside the layers (`mock_edge_cases`, `client_edge_cases`): what no described call shows, such as routes that only look like one, minutes,
other accounts' secrets, the next call and the next attempt.
Seeded faults (`faults_mock`, `faults_client`, `faults_reply`, `faults_unseen`): each breaks one promise, and the table beside it says
which checks notice; others keep every promise, and nothing may notice them. The last table was written when the layers were done.
They patch private names on purpose: whoever moves such a name moves its fault along.

    python -m tests.contract.run_all                all layers, with a table of what was tried
    python -m tests.contract.run_seeded_faults      every fault, one by one, with a table of what noticed it

No layer names an operation. Each is a function of a document, a way to make an exchange and an SDK:

    from tests.contract.mock_vs_spec import run_mock_vs_spec
    from tests.contract.requests_vs_spec import run_requests_vs_spec
    from tests.contract.responses_vs_spec import run_responses_vs_spec
    assert not run_mock_vs_spec(document)         # {name of a check: what it found}
    assert not run_requests_vs_spec(document, sdk)
    assert not run_responses_vs_spec(document, sdk)

Everything is deterministic: the clock stands still, examples are derandomized, nothing is stored between runs. The judges
share no code with what they judge: `raw_requests` signs by hand, `spec_facts` and `response_bodies` read document and JSON on their own.
"""
