"""GET of a path that the spec does not describe: `client.get`.

It makes an operation of the arguments, which then is called as those of the spec are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias, TypeVar

from binance_usdm._errors import ConfigurationError
from binance_usdm._secrets import describe_value
from binance_usdm_wire import (
    OPERATIONS,
    InvalidArgumentError,
    Operation,
    Response,
    ResponseMismatch,
    writing,
)
from binance_usdm_wire.decoding import decode
from binance_usdm_wire.types import SupportsAsyncCall, SupportsCall

Params: TypeAlias = Mapping[str, str | int | Decimal | bool | None]
"""Query parameters by name. A parameter that is `None` is not sent."""

_MAX_PATH_LENGTH: Final = 200
# No segment begins with a dot, so none is "." or "..", and there is no query, escape or host.
_IS_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+").fullmatch
_IS_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}").fullmatch
_SIGNED: Final = OPERATIONS["balance"]
"""A signed operation. Key header and names of parameters are the same for all of them."""
_write_integer: Final = writing.integer_writer(-(2**63), 2**64 - 1)
_WRITERS: Final[dict[type, writing.Writer]] = {
    str: writing.write_string,
    bool: writing.write_boolean,
    int: _write_integer,
    Decimal: writing.write_decimal,
}
_MethodT = TypeVar("_MethodT", bound=Callable[..., Any])


def _explain_missing_weight(method: _MethodT) -> _MethodT:
    """Let a call without `weight` reach `make_get`, whose error says what to pass.

    To type checkers `weight` stays required.
    """
    method.__kwdefaults__ = {"weight": None, **(method.__kwdefaults__ or {})}
    return method


class SyncGet(SupportsCall):
    """Method of a blocking client for paths that the spec does not describe."""

    __slots__ = ()

    @_explain_missing_weight
    def get(
        self, path: str, params: Params | None = None, *, weight: int, signed: bool = True
    ) -> Any:
        """Send a GET for a path that the spec does not describe, and return the decoded JSON.

        Budget, deadline, retries, clock and errors are those of every call. What the response holds
        is not checked: it is outside of what this package promises. There is no such method for
        POST, PUT or DELETE, so nothing can be traded with it.

        Args:
            path: Path of the endpoint, such as "/fapi/v1/multiAssetsMargin", without query.
            params: Query parameters: strings, integers, `Decimal`, booleans. `None` is not sent.
                Timestamp and signature are added.
            weight: Request weight of the endpoint, from its page.
            signed: Whether key, timestamp and signature are sent. Market data needs none.

        Returns:
            Exact JSON: integers are `int`, or `Decimal` beyond 64 bits; other numbers are `Decimal`.

        Raises:
            ConfigurationError: An argument is invalid, or a key is needed and missing. The
                request was not sent.
            TransportError: No complete response arrived before the deadline.
            UnexpectedResponse: The response is not valid JSON, or an object has a field twice.
            APIError: The exchange rejected the request. A `RateLimitError` with status 0 comes
                from the client: its weight budget is exhausted until after the deadline.

        Example:
            client.get("/fapi/v1/multiAssetsMargin", weight=30)
        """
        return self._call(make_get(path, params, weight, signed=signed), {}).parsed

    @_explain_missing_weight
    def get_detailed(
        self, path: str, params: Params | None = None, *, weight: int, signed: bool = True
    ) -> Response[Any]:
        """Call `get` and return its value with the metadata of the response."""
        return self._call(make_get(path, params, weight, signed=signed), {})


class AsyncGet(SupportsAsyncCall):
    """Method of an asyncio client for paths that the spec does not describe."""

    __slots__ = ()

    @_explain_missing_weight
    async def get(
        self, path: str, params: Params | None = None, *, weight: int, signed: bool = True
    ) -> Any:
        """Send a GET for a path that the spec does not describe, as `Client.get` does."""
        return (await self._call(make_get(path, params, weight, signed=signed), {})).parsed

    @_explain_missing_weight
    async def get_detailed(
        self, path: str, params: Params | None = None, *, weight: int, signed: bool = True
    ) -> Response[Any]:
        """Call `get` and return its value with the metadata of the response."""
        return await self._call(make_get(path, params, weight, signed=signed), {})


def make_get(path: Any, params: Any, weight: Any, *, signed: Any) -> Operation[Any]:
    """Return the operation of a GET.

    Raises:
        ConfigurationError: An argument is invalid.
    """
    if not isinstance(path, str) or len(path) > _MAX_PATH_LENGTH or not _IS_PATH(path):
        raise ConfigurationError(
            "path must be like /fapi/v1/multiAssetsMargin: it begins with a slash and has no "
            f"host, query, escape, dot segment or last slash, not {describe_value(path)}"
        )
    if type(weight) is not int or weight < 1:
        raise ConfigurationError(
            "weight must be the request weight of the endpoint, which its page in the exchange's "
            f"documentation names (pass weight=30, for example), not {describe_value(weight)}"
        )
    if type(signed) is not bool:
        raise ConfigurationError(f"signed must be True or False, not {describe_value(signed)}")
    parameters = _write_params(params)
    return Operation(
        # What is known of a path that is called with a key is not used without.
        id=f"GET {path}" if signed else f"GET {path} unsigned",
        method="GET",
        path=path,
        weight=weight,
        security_type=_SIGNED.security_type if signed else "NONE",
        key_header=_SIGNED.key_header if signed else None,
        signing=_SIGNED.signing if signed else None,
        parameters=(),
        row_class=None,
        account_attribute=None,
        summary="",
        build_query=parameters.copy,
        parse_body=_parse_body,
    )


def _write_params(params: Any) -> dict[str, str]:
    """Return percent-encoded values by name."""
    if params is None:
        return {}
    if not isinstance(params, Mapping):
        raise ConfigurationError(
            f"params must be a dict of query parameters, not {describe_value(params)}"
        )
    problem = ""
    written: dict[str, str] = {}
    try:
        for name, value in params.items():
            problem = problem or _name_problem(name)
            if value is not None and not problem:
                written[name] = _write_value(f"params[{name!r}]", value)
    except InvalidArgumentError as error:
        problem = str(error)
    # Raised here, so that the error has no context with the argument.
    if problem:
        raise ConfigurationError(problem)
    return written


def _name_problem(name: Any) -> str:
    """Return what is wrong with the name of a parameter, "" if nothing is."""
    if not isinstance(name, str) or not _IS_NAME(name):
        return f"params must have names of ASCII letters and digits, not {describe_value(name)}"
    signing = _SIGNED.signing
    assert signing is not None
    added = (signing.timestamp_parameter, signing.signature_parameter)
    if name.lower() in added:
        return f"params must not have {name}; the client adds it"
    return ""


def _write_value(name: str, value: Any) -> str:
    write = _WRITERS.get(type(value))
    if write is None:
        expected = "a string, an integer, a Decimal or a boolean"
        raise InvalidArgumentError(name, expected, describe_value(value))
    return write(name, value)


def _parse_body(body: bytes) -> Any:
    """Return the decoded JSON of a 200 response, unless it is the exchange's error object."""
    value = decode(body)
    is_error_shape = type(value) is dict and value.keys() == {"code", "msg"}
    if is_error_shape and type(value["code"]) is int and value["code"] <= 0:
        raise ResponseMismatch((), "data", "an error")
    return value
