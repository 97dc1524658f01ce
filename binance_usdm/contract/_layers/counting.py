"""Count the cases of a layer while it runs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from binance_usdm.contract._cases.coverage import Coverage
from binance_usdm.contract._cases.raw_requests import MakeExchange, make_exchange
from binance_usdm.contract._client_layers.calls import python_name
from binance_usdm.contract._client_layers.sdk import Sdk
from binance_usdm.contract._spec.document import Json
from binance_usdm.contract._spec.operations import operations
from binance_usdm.mock import Exchange, Reply


@dataclass
class CaseCounter:
    """Counts the cases of a layer, and notes what they touch of the document.

    Attributes:
        document: The document of the layer.
        make: Makes the exchanges of the layer.
        cases: Requests to exchanges in layer A, calls of a client in B and C.
        operations: Identifiers of the operations that had a case.
        exchanges: The exchanges that were made.
        coverage: Takes the requests to exchanges, or `None`.
    """

    document: Json = field(repr=False)
    make: MakeExchange = make_exchange
    cases: int = 0
    operations: set[str] = field(default_factory=set)
    exchanges: list[Exchange] = field(default_factory=list)
    coverage: Coverage | None = field(default=None, repr=False)

    def make_exchange(self, document: Json, **options: Any) -> Exchange:
        """Make an exchange whose requests `count_requests` counts."""
        exchange = self.make(document, **{"log_size": 1_000_000} | options)
        handle = exchange.handle

        @functools.wraps(handle)
        def observed(method: str, target: bytes, *args: Any, **more: Any) -> Reply:
            reply = handle(method, target, *args, **more)
            if self.coverage is not None:
                path, _, query = target.decode("latin-1").partition("?")
                headers = {name.decode(): value.decode("latin-1") for name, value in reply.headers}
                self.coverage.observe(method, path, query, reply.status, headers, reply.body)
            return reply

        # The checks call it, and a transport does not.
        exchange.handle = observed  # type: ignore[method-assign]
        self.exchanges.append(exchange)
        return exchange

    def count_requests(self) -> None:
        """Count the requests to all exchanges, for the layer whose cases are requests."""
        logged = [each for exchange in self.exchanges for each in exchange.requests]
        self.cases += len(logged)
        self.operations |= {each.operation for each in logged if each.operation}

    def count_calls(self, sdk: Sdk) -> Sdk:
        """Return an SDK whose calls are counted."""

        def counted(make: Callable[..., Any]) -> Callable[..., Any]:
            def make_client(*args: Any, **options: Any) -> Any:
                client = make(*args, **options)
                for operation in operations(self.document):
                    name = f"{python_name(operation.id)}_detailed"
                    setattr(client, name, self._count(operation.id, getattr(client, name)))
                return client

            return make_client

        make_client: Any = counted(sdk.client)
        if (from_env := getattr(sdk.client, "from_env", None)) is not None:
            make_client.from_env = counted(from_env)
        return replace(sdk, client=make_client)

    def _count(self, operation_id: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def counted(*args: Any, **options: Any) -> Any:
            self.cases += 1
            self.operations.add(operation_id)
            return method(*args, **options)

        return counted
