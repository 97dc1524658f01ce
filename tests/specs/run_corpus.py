"""Call every shape of the corpus, in a process whose `binance_usdm_wire` has them.

    python -m tests.specs.run_corpus               both clients and the command; a line a shape
    python -m tests.specs.run_corpus --contract    layers A, B and C of the contract tests
    python -m tests.specs.run_corpus --contract CLIENT NAME...    the same, for a client and shapes

A line is the name of a shape, a tab, and what is wrong.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import sys
import traceback
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx

import binance_usdm_wire
from binance_usdm import AsyncClient, Client
from binance_usdm._cli.main import main as run_command
from binance_usdm.mock import Exchange, running
from binance_usdm_wire import OPERATIONS
from tests.specs.corpus import SHAPES, SIGNED, Shape

KEY = "fake-key-of-the-corpus"
SECRET = "fake-secret-of-the-corpus"


def call_shape(client: Any, shape: Shape) -> Any:
    """Return what a method returns for the arguments of a shape."""
    names = {name: getattr(binance_usdm_wire, name) for name in binance_usdm_wire.__all__}
    arguments = eval(f"dict({shape.arguments})", {"Decimal": Decimal, **names})
    return getattr(client, f"{shape.name}_detailed")(**arguments)


def to_json(shape: Shape, value: Any) -> str:
    """Return the JSON text of a value, with all digits."""
    operation = OPERATIONS[shape.name]
    if operation.dump is not None:
        from binance_usdm_wire.reading import format_json

        return format_json(operation.dump(value))
    if isinstance(value, list):
        return f"[{','.join(row.to_json() for row in value)}]"
    text: str = value.to_json()
    return text


def check_value(shape: Shape, value: Any) -> None:
    """Check that a value is exactly the example, and can be hashed and compared."""
    found = json.loads(to_json(shape, value), parse_float=Decimal)
    wanted = json.loads(json.dumps(shape.example), parse_float=Decimal)
    if not shape.has_exchange_time:
        assert found == wanted, f"{found} instead of {wanted}"
    for row in value if isinstance(value, list) else [value]:
        if hasattr(row, "WIRE_NAMES"):
            assert hash(row) == hash(row)
            assert [*type(row).WIRE_NAMES] == [
                field.alias for field in type(row).__attrs_attrs__[: len(type(row).WIRE_NAMES)]
            ]


class RecordingTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport in front of an exchange that keeps the URLs."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.urls: list[httpx.URL] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.urls.append(request.url)
        return self.exchange.transport.handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.urls.append(request.url)
        return await self.exchange.transport.handle_async_request(request)


class RecordingLimiter:
    """A limiter without memory that keeps what was taken."""

    def __init__(self) -> None:
        self.weights: list[int] = []

    def acquire(self, weight: int) -> float:
        self.weights.append(weight)
        return 0.0

    def observe(self, used_weight: int) -> None: ...

    def start_cooldown(self, seconds: float, *, banned: bool) -> None: ...

    def cooldown_left(self) -> float:
        return 0.0


def check_calls(shape: Shape) -> None:
    """Call the operation with both clients, and check what was sent and returned."""
    exchange = Exchange(api_key=KEY, api_secret=SECRET)
    transport = RecordingTransport(exchange)
    limiter = RecordingLimiter()
    options: dict[str, Any] = {"transport": transport, "limiter": limiter}
    with Client(KEY, SECRET, **options) as client:
        first = expect_warning(shape, lambda: call_shape(client, shape))
        assert first.used_weight == shape.cost, f"weight {first.used_weight}"

    async def wait() -> Any:
        async with AsyncClient(KEY, SECRET, **options) as client:
            return await call_shape(client, shape)

    second = expect_warning(shape, lambda: asyncio.run(wait()))
    for response in (first, second):
        check_value(shape, response.parsed)
    assert first.parsed == second.parsed or shape.has_exchange_time
    for url in transport.urls:
        check_url(shape, url)
    assert len(transport.urls) == 2
    assert limiter.weights == [shape.cost] * 2, f"took {limiter.weights}"
    if shape.security == SIGNED:
        with Client(KEY, "another", **options) as client:
            error = caught(lambda: call_shape(client, shape))
        assert getattr(error, "code", None) == -1022, repr(error)


def check_url(shape: Shape, url: httpx.URL) -> None:
    servers = shape.more.get("servers", [{"url": "https://fapi.binance.com"}])
    path, _, query = url.raw_path.decode().partition("?")
    payload, _, signature = query.partition("timestamp=" if shape.security == SIGNED else "\0")
    assert f"{url.scheme}://{url.host}" == servers[0]["url"], f"{url.host}"
    assert path == (shape.target or shape.route), path
    assert payload.rstrip("&") == shape.query, f"{payload} instead of {shape.query}"
    assert ("signature=" in signature) == (shape.security == SIGNED)


def expect_warning(shape: Shape, function: Callable[[], Any]) -> Any:
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        result = function()
    files = [one.filename for one in raised if one.category is DeprecationWarning]
    assert bool(files) == shape.warns, files
    assert {*files} <= {__file__}, "the warning names the line of the caller"
    return result


def caught(function: Callable[[], Any]) -> Exception | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            function()
    except Exception as error:  # noqa: BLE001 - the caller looks at it
        return error
    return None


def as_printed(shape: Shape, value: Any) -> Any:
    """Return the JSON of a response as the command prints it: objects with the names of columns."""
    row_class = OPERATIONS[shape.name].row_class

    def name_items(row: Any) -> Any:
        if row_class is None:
            return {"value": row}
        if not isinstance(row, list):
            return row
        names = [*row_class.WIRE_NAMES.values()]
        names += map(str, range(len(names), len(row)))
        return dict(zip(names, row, strict=True))

    return [*map(name_items, value)] if isinstance(value, list) else name_items(value)


def check_command(shape: Shape, url: str) -> None:
    """Run the command in each format, and check the JSON that it prints."""
    name = shape.name.replace("_", "-")
    printed = {}
    for form in ("--json", "--csv", ""):
        out, problems = io.StringIO(), io.StringIO()
        arguments = [name, *shape.command, "--base-url", url, *filter(None, [form])]
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(problems),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            code = run_command(arguments)
        assert code == 0, f"{arguments}: {problems.getvalue()}"
        printed[form] = out.getvalue()
    found = json.loads(printed["--json"], parse_float=Decimal)
    wanted = as_printed(shape, json.loads(json.dumps(shape.example), parse_float=Decimal))
    assert found == wanted or shape.has_exchange_time, f"printed {found}"
    row_class = OPERATIONS[shape.name].row_class
    if row_class is not None:
        header = printed["--csv"].splitlines()[0].split(",")
        names = [*row_class.WIRE_NAMES.values()]
        assert header[: len(names)] == names or not names, f"columns {header}"


def check_all() -> None:
    os.environ |= {"BINANCE_API_KEY": KEY, "BINANCE_API_SECRET": SECRET}
    with running(Exchange(api_key=KEY, api_secret=SECRET)) as url:
        for shape in SHAPES:
            problem = ""
            try:
                check_calls(shape)
                check_command(shape, url)
            except Exception as error:  # noqa: BLE001 - a crash is a problem like any other
                place = traceback.extract_tb(error.__traceback__)[-1]
                problem = f"{type(error).__name__}: {error} ({place.name}:{place.lineno})"
            print(f"{shape.name}\t{' '.join(problem.split())}", flush=True)


def check_contract(client: str | None, names: list[str]) -> int:
    """Run layers A to C, with all clients or one, on all operations of the corpus or on some."""
    from importlib.resources import files

    from binance_usdm.contract._client_layers.requests_vs_spec import run_requests_vs_spec
    from binance_usdm.contract._client_layers.responses_vs_spec import run_responses_vs_spec
    from binance_usdm.contract._mock_layer.mock_vs_spec import run_mock_vs_spec
    from tests.contract.sdks import SDKS

    document = json.loads(files("binance_usdm_wire").joinpath("openapi.json").read_bytes())
    routes = [shape.route for shape in SHAPES if not names or shape.name in names]
    document["paths"] = {path: document["paths"][path] for path in routes}
    found = {"A": run_mock_vs_spec(document)}
    for name, sdk in {name: SDKS[name] for name in SDKS if client in (None, name)}.items():
        found[f"B {name}"] = run_requests_vs_spec(document, sdk)
        found[f"C {name}"] = run_responses_vs_spec(document, sdk)
    for layer, problems in found.items():
        for check, problem in problems.items():
            print(f"{layer} {check}\n    {problem}")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--contract"]:
        sys.exit(check_contract(next(iter(sys.argv[2:]), None), sys.argv[3:]))
    check_all()
