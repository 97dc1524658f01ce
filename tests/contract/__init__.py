"""Contract tests: the mock against the spec, the client against it in both directions, and the proof that a fault would be noticed.

Layer A (`layer_a`): schemathesis is the caller and the mock exchange the server. What schemathesis cannot know (signatures,
the time window, repeated parameters, weight, scripted faults) stands in small tables beside it.
Layer B (`layer_b`): schemathesis calls the client through an ASGI facade, with the mock behind it. What left the client is
compared with what schemathesis itself made of the same case, byte for byte. A recorder stands in
for the network of both clients, once as a transport of the caller's and once in the place of their default one.
Layer C (`layer_c`): the document turned round (`mirror`): what it says of a reply becomes a request body, so that schemathesis
makes good and bad replies. Every good one comes out of the client typed and digit for digit, every other is the error of the tree that
the document and the tables (`tables_client`, `tables_values`) give it: statuses, codes, waits, texts that only look like JSON, faults
of the mock. The network of the client is a canned reply (`answers`).
Beside the layers (`beside_mock`, `beside_client`): what no described call shows, such as routes that only look like one, minutes,
other accounts' secrets, the next call and the next attempt.
Seeded faults (`faults_mock`, `faults_client`, `faults_reply`, `faults_held_out`): each breaks one promise, and the table beside it says
which checks notice; others keep every promise, and nothing may notice them. The last table was written when the layers were done.
They patch private names on purpose: whoever moves such a name moves its fault along.

    python tests/contract/run.py       all layers, with a table of what was tried
    python tests/contract/seeded.py    every fault, one by one, with a table of what noticed it

No layer names an operation. Each is a function of a document, a way to make an exchange and an SDK:

    from contract.layer_a import run_layer_a
    from contract.layer_b import run_layer_b
    from contract.layer_c import run_layer_c
    assert not run_layer_a(document)         # {name of a check: what it found}
    assert not run_layer_b(document, sdk)
    assert not run_layer_c(document, sdk)

Everything is deterministic: the clock stands still, examples are derandomized, nothing is stored between runs. The judges
share no code with what they judge: `wire` signs by hand, `facts` and `mirror` read document and JSON on their own.
"""
