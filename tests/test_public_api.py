"""The door: which names it has, with which arguments, and where they agree with the spec."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

import binance_usdm
from binance_usdm import AccountBalance, AsyncClient, Client, HmacSigner, Response, ServerTime
from binance_usdm._base_client import BaseClient
from binance_usdm._call.response import USED_WEIGHT_HEADER
from binance_usdm._config.defaults import ENVIRONMENT_BY_BASE_URL
from binance_usdm._config.options import ClientOptions
from binance_usdm.mock.server.process import PORT
from binance_usdm_wire import OPERATIONS
from tests.support.clients import SPEC
from tests.support.paths import ROOT
from tests.support.spec_facts import BALANCE_PATH, HOST_BY_ENVIRONMENT, OPTIONAL_ROW_FIELDS

REQUIRED = inspect.Parameter.empty


def test_all_is_sorted_and_complete() -> None:
    def isort_style(name: str) -> tuple[int, str]:  # as ruff's RUF022: constants, classes, the rest
        return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)

    assert binance_usdm.__all__ == sorted(binance_usdm.__all__, key=isort_style)
    public = {*binance_usdm._MODULE_BY_NAME, "__version__"}
    assert set(binance_usdm.__all__) == public
    for name in binance_usdm.__all__:
        assert getattr(binance_usdm, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'Cleint'"):
        _ = binance_usdm.Cleint
    assert len(set(binance_usdm.__all__)) == len(binance_usdm.__all__)


def test_every_class_and_method_of_the_door_is_described() -> None:
    for name in binance_usdm.__all__:
        thing = getattr(binance_usdm, name)
        if isinstance(thing, type) and thing.__module__.startswith("binance_usdm"):
            assert (thing.__doc__ or "").strip(), name
    for client in (Client, AsyncClient):
        for name, method in inspect.getmembers(client, callable):
            assert name.startswith("_") or inspect.getdoc(method), name


def test_the_hosts_and_the_header_are_the_specs() -> None:
    servers = {server["x-environment"]: server["url"] for server in SPEC["servers"]}
    assert servers == {
        "production": binance_usdm.MAINNET,
        "demo": binance_usdm.DEMO,
        "mock": f"http://127.0.0.1:{PORT}",
    }
    assert {url: name for name, url in servers.items() if name != "mock"} == ENVIRONMENT_BY_BASE_URL
    headers = SPEC["paths"][BALANCE_PATH]["get"]["responses"]["200"]["headers"]
    assert list(headers) == [USED_WEIGHT_HEADER]


CONSTRUCTOR: dict[str, Any] = {
    "api_key": None,
    "api_secret": None,
    "signer": None,
    "base_url": f"https://{HOST_BY_ENVIRONMENT['production']}",
    "recv_window": None,
    "timeout": 10.0,
    "retry": ...,  # a decision of the client's, whichever
    "clock": ...,
    "limiter": ...,
    "max_reply_bytes": 1 << 20,
    "proxy": None,
    "ssl_context": None,
    "transport": None,
    "on_event": None,
    "label": None,
}


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_a_client_takes_these_arguments(client: type[Client] | type[AsyncClient]) -> None:
    taken = inspect.signature(client).parameters
    assert [name for name in taken if name in CONSTRUCTOR] == list(CONSTRUCTOR)
    for name, default in CONSTRUCTOR.items():
        assert default is ... or taken[name].default == default, name
        kind = taken[name].kind
        assert (kind is kind.POSITIONAL_OR_KEYWORD) == (name in {"api_key", "api_secret"}), name
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    assert all(
        parameter.default is not REQUIRED or parameter.kind in optional
        for parameter in taken.values()
    )


def test_typed_options_match_the_constructor() -> None:
    """The options of `from_env` have the names, order and types of the constructor's."""
    annotations = dict(inspect.get_annotations(BaseClient.__init__))
    for name in ("positional", "unknown", "return"):
        del annotations[name]
    options = {
        name: reference.__forward_arg__ for name, reference in ClientOptions.__annotations__.items()
    }
    assert list(options.items()) == list(annotations.items())


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_a_client_has_two_methods_for_every_operation_of_the_spec(
    client: type[Client] | type[AsyncClient],
) -> None:
    specified = {
        operation["operationId"]
        for path in SPEC["paths"].values()
        for method, operation in path.items()
        if method == "get"
    }
    assert set(OPERATIONS) == specified >= {"balance", "server_time"}
    ends = {Client: "close", AsyncClient: "aclose"}
    # Names that only say what they are called here cannot be got.
    methods = {name for name in dir(client) if not name.startswith("_") and hasattr(client, name)}
    assert methods == {
        "budget",
        "from_env",
        "from_profile",
        "connect",
        "get",
        "get_detailed",
        ends[client],
        *specified,
        *(f"{name}_detailed" for name in specified),
    }
    for name in specified:
        short, detailed = getattr(client, name), getattr(client, f"{name}_detailed")
        assert inspect.signature(short).parameters == inspect.signature(detailed).parameters
        for method in (short, detailed):
            assert inspect.iscoroutinefunction(method) == (client is AsyncClient)


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_recv_window_is_a_keyword_of_balance(client: type[Client] | type[AsyncClient]) -> None:
    parameters = list(inspect.signature(client.balance).parameters.values())[1:]
    assert [(parameter.name, parameter.default) for parameter in parameters] == [
        ("recv_window", None)
    ]
    assert parameters[0].kind is inspect.Parameter.KEYWORD_ONLY


def test_the_values_have_these_fields() -> None:
    optional = {
        name for name, wire in AccountBalance.WIRE_NAMES.items() if wire in OPTIONAL_ROW_FIELDS
    }
    names = list(inspect.signature(AccountBalance).parameters)
    assert [name for name in names if name not in optional] == [
        *(
            "account_alias",
            "asset",
            "balance",
            "cross_wallet_balance",
            "cross_un_pnl",
            "available_balance",
        ),
        *("max_withdraw_amount", "margin_available", "update_time", "additional_properties"),
    ]
    assert list(inspect.signature(ServerTime).parameters) == [
        "server_time",
        "additional_properties",
    ]
    told = [
        "parsed",
        "status_code",
        "headers",
        "used_weight",
        "elapsed",
        "attempts",
        "received_at_ms",
    ]
    assert list(inspect.signature(Response).parameters) == told
    for name in ("received_at", "exchange_date"):
        assert isinstance(inspect.getattr_static(Response, name), property)
    for method in ("from_dict", "to_dict", "to_json", "updated_at"):
        assert hasattr(AccountBalance, method)


def test_errors_and_signer_take_these_arguments() -> None:
    assert list(inspect.signature(HmacSigner).parameters) == ["api_secret"]
    for name in ("status", "code", "message", "retry_after", "hint"):
        assert getattr(binance_usdm.APIError(400, -1102, "no", 1.0), name) is not None
    assert binance_usdm.IPBannedError(418, None, "").banned_until is None


def test_every_error_has_what_a_caller_looks_at() -> None:
    """Label, status, code, hint and time to wait are attributes of every error."""
    errors = [
        thing
        for name in binance_usdm.__all__
        if isinstance(thing := getattr(binance_usdm, name), type)
        and issubclass(thing, binance_usdm.UsdmError)
    ]
    assert len(errors) == 13
    for error_class in errors:
        assert all(hasattr(error_class, name) for name in DEFAULTS), error_class
    for plain in (binance_usdm.TransportError("x"), binance_usdm.ConfigurationError("x")):
        assert {name: getattr(plain, name) for name in DEFAULTS} == DEFAULTS


DEFAULTS = {"status": 0, "code": None, "retry_after": None, "hint": "", "label": None}


def test_the_readme_names_every_option() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(\w+)=`", readme))
    assert set(CONSTRUCTOR) - {"api_key", "api_secret", "recv_window"} <= told
