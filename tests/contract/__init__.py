"""Contract tests: the mock against the spec, the client against the spec, and the proof that both would notice a fault.

Layer A (`layer_a`): schemathesis is the caller and the mock exchange the server. What schemathesis cannot know (signatures,
the time window, repeated parameters, weight, scripted faults) stands in small tables beside it.
Layer B (`layer_b`): schemathesis calls the client through an ASGI facade, with the mock behind it. What left the client is
compared with what schemathesis itself made of the same case, byte for byte. A recorder stands in
for the network of both clients, once as a transport of the caller's and once in the place of their default one.
Seeded faults (`faults_mock`, `faults_client`): each breaks one promise, and the table beside it says which checks notice.
They patch private names on purpose: whoever moves such a name moves its fault along.

No layer names an operation. Each is a function of a document, a way to make an exchange and an SDK:

    from contract.layer_a import run_layer_a
    from contract.layer_b import run_layer_b
    assert not run_layer_a(document)         # {name of a check: what it found}
    assert not run_layer_b(document, sdk)

Everything is deterministic: the clock stands still, examples are derandomized, nothing is stored between runs. The judges
share no code with what they judge: `wire` signs by hand, `facts` reads the document on its own.
"""
