"""Make a span for each call, with its events, and print it.

    pip install opentelemetry-sdk
    python opentelemetry_spans.py

Do not instrument httpx as well: with a transport of httpx its instrumentation would write the
signed URL into a span.
"""

import sys

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

import binance_usdm

provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
tracer = provider.get_tracer("my-program")


def add_to_span(event: binance_usdm.Event) -> None:
    """Add an event to the span of the call. Events come in the call's own thread or task."""
    attributes = {"attempt": event.attempt, "seconds": event.seconds}
    trace.get_current_span().add_event(event.kind, attributes)


def read_balance(client: binance_usdm.Client) -> list[binance_usdm.AccountBalance]:
    with tracer.start_as_current_span("balance") as span:
        response = client.balance_detailed()
        span.set_attribute("http.response.status_code", response.status_code)
        span.set_attribute("binance.attempts", response.attempts)
        if response.used_weight is not None:
            span.set_attribute("binance.used_weight", response.used_weight)
        return response.parsed


def main() -> int:
    with binance_usdm.Client.from_env(on_event=add_to_span) as client:
        read_balance(client)
    provider.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
