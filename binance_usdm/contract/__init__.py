"""Contract tests for a server, a program, a client or a mock of the exchange.

Three layers compare a product with the OpenAPI document of the exchange:

- Layer A (`run_mock_vs_spec`): schemathesis sends requests to a mock exchange. What no schema
  states (signatures, time, keys, weight, faults) is checked by hand-written tables.
- Layer B (`run_requests_vs_spec`): schemathesis calls a client as if it were a server, with the mock
  exchange behind it. What the client sends is compared, byte for byte, with what schemathesis sends
  for the case.
- Layer C (`run_responses_vs_spec`): a client receives described and damaged responses. Each must be
  the value or the error that the document and the tables give it.

Each layer is a function of a document that returns problems by the name of the check, and names no
operation. Two runs do the same: clocks stand still, and examples are derandomized.

    from binance_usdm import Client
    from binance_usdm.contract import SPEC, Sdk, run_requests_vs_spec

    assert run_requests_vs_spec(SPEC, Sdk(Client)) == {}

`parametrize` makes every check of the layers a test case of pytest.

The layers need the extra `contract`; recorded responses and documents do not. A name is imported
when it is first used, since schemathesis takes a second to import. No module of this package uses private names of the client.
"""

# As in `typing`, whose import other commands need not wait for.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from ._cases.raw_requests import exchange_maker, make_exchange
    from ._cases.schemathesis_setup import Problems
    from ._client_layers.requests_vs_spec import run_requests_vs_spec
    from ._client_layers.responses_vs_spec import run_responses_vs_spec
    from ._client_layers.sdk import RecordingTransport, Sdk
    from ._mock_layer.mock_vs_spec import run_mock_vs_spec
    from ._parametrize import ContractCheck, list_checks, parametrize
    from ._recorded.deviations import Deviation, RecordedReply, find_deviations
    from ._spec.document import SPEC, load_document

__all__ = [
    "SPEC",
    "ContractCheck",
    "Deviation",
    "Problems",
    "RecordedReply",
    "RecordingTransport",
    "Sdk",
    "exchange_maker",
    "find_deviations",
    "list_checks",
    "load_document",
    "make_exchange",
    "parametrize",
    "run_mock_vs_spec",
    "run_requests_vs_spec",
    "run_responses_vs_spec",
]

_MODULE_BY_NAME = {
    "SPEC": "._spec.document",
    "Problems": "._cases.schemathesis_setup",
    "RecordingTransport": "._client_layers.sdk",
    "Sdk": "._client_layers.sdk",
    "exchange_maker": "._cases.raw_requests",
    "ContractCheck": "._parametrize",
    "Deviation": "._recorded.deviations",
    "RecordedReply": "._recorded.deviations",
    "find_deviations": "._recorded.deviations",
    "list_checks": "._parametrize",
    "parametrize": "._parametrize",
    "load_document": "._spec.document",
    "make_exchange": "._cases.raw_requests",
    "run_mock_vs_spec": "._mock_layer.mock_vs_spec",
    "run_requests_vs_spec": "._client_layers.requests_vs_spec",
    "run_responses_vs_spec": "._client_layers.responses_vs_spec",
}


def __getattr__(name: str) -> object:
    """Import a public name, and keep it."""
    from importlib import import_module

    if name not in _MODULE_BY_NAME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_MODULE_BY_NAME[name], __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
