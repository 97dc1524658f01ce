"""Stubs: fixed 200 bodies for paths that the spec does not describe."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from binance_usdm.mock.core.query import Query
from binance_usdm.mock.spec.api_spec import ApiSpec
from binance_usdm.mock.spec.operation import Operation

from .request_log import STUB_PREFIX, Headers

_REQUEST: Final = re.compile(r"([A-Z]+) (/[!-~]*)")
BUILT_IN_STUBS: Final = {"GET /fapi/v1/ping": b"{}"}
"""What clients request to see whether the exchange is there."""


@dataclass(frozen=True, slots=True)
class StubOperation(Operation):
    """What a request for a stub is checked for."""


@dataclass(frozen=True, slots=True)
class Stub:
    """Fixed 200 body of a method and path.

    A request with a key is verified, and its timestamp and signature too if it has one of them. Any
    parameter is allowed.

    Attributes:
        body: Body of the response.
        open: What a request without a key is checked for: nothing.
        keyed: What a request with a key only is checked for.
        signed: What a request with a key and a signature or a timestamp is checked for.
    """

    body: bytes
    open: StubOperation
    keyed: StubOperation
    signed: StubOperation

    def choose_operation(self, query: Query, headers: Headers) -> StubOperation:
        """Return what a request is checked for.

        Args:
            query: Query of the request.
            headers: Header names and values.
        """
        sent = query.first_values
        if self.signed.signature is not None and self.signed.signature in sent:
            return self.signed
        if not any(name.lower() == self.keyed.key_header for name, _ in headers):
            return self.open
        is_signed = any(parameter.name in sent for parameter in self.signed.parameters)
        return self.signed if is_signed else self.keyed


def make_stub(spec: ApiSpec, request: str, body: bytes) -> Stub:
    """Return a stub for a method and path such as "GET /fapi/v3/account".

    Args:
        spec: Spec whose signed operations say how requests are signed.
        request: Method and path.
        body: Body of the response.

    Raises:
        ValueError: `request` is not a method and path, or is an operation of the spec.
    """
    method, path = parse_stub_request(request)
    operation = spec.find_operation(method, path)
    if operation is not None:
        raise ValueError(f"{request} is the operation {operation.id}; set its body instead")
    plain = StubOperation(
        id=f"{STUB_PREFIX}{request}",
        method=method,
        path=path,
        weight=1,
        parameters=(),
        key_header=None,
        signature=None,
        example=None,
        schema={},
        allowed_names=None,
        parameters_by_role={},
    )
    model = next((operation for operation in spec.operations if operation.signature), None)
    if model is None:
        return Stub(body, plain, plain, plain)
    keyed = replace(plain, key_header=model.key_header)
    signed = replace(
        keyed,
        signature=model.signature,
        parameters=tuple(model.parameters_by_role.values()),
        parameters_by_role=model.parameters_by_role,
    )
    return Stub(body, plain, keyed, signed)


def parse_stub_request(request: str) -> tuple[str, str]:
    """Return method and path of a string such as "GET /fapi/v3/account".

    Raises:
        ValueError: The string is not a method and a path without a query.
    """
    match = _REQUEST.fullmatch(request)
    if match is None or set("?#=") & set(match[2]):
        raise ValueError('a stub is for a method and a path, such as "GET /fapi/v3/account"')
    return match[1], match[2]
