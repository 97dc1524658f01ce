"""Export balances and events of calls to Prometheus.

    pip install prometheus_client
    python prometheus_exporter.py 9400      # serves /metrics on this port, reads every 15 s
    python prometheus_exporter.py --once    # prints the metrics

A gauge is a float: fine for an alert, wrong for a ledger.
"""

import sys
import time

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest, start_http_server

import binance_usdm

READ_EVERY_SECONDS = 15

registry = CollectorRegistry()
balance = Gauge("usdm_balance", "Wallet balance.", ["asset"], registry=registry)
available = Gauge("usdm_available", "Available balance.", ["asset"], registry=registry)
used_weight = Gauge("usdm_used_weight", "Weight used in the minute.", registry=registry)
events = Counter("usdm_events", "Events of calls.", ["kind"], registry=registry)
failures = Counter("usdm_failures", "Calls that failed.", ["error"], registry=registry)


def update(client: binance_usdm.Client) -> None:
    """Read the balances once. What failed is counted."""
    try:
        response = client.balance_detailed()
    except binance_usdm.UsdmError as error:
        failures.labels(type(error).__name__).inc()
        return
    if response.used_weight is not None:
        used_weight.set(response.used_weight)
    for row in response.parsed:
        balance.labels(row.asset).set(float(row.balance))
        available.labels(row.asset).set(float(row.available_balance))


def main() -> int:
    with binance_usdm.Client.from_env(
        on_event=lambda event: events.labels(event.kind).inc()
    ) as client:
        if sys.argv[1] == "--once":
            update(client)
            print(generate_latest(registry).decode(), end="")
            return 0
        start_http_server(int(sys.argv[1]), addr="127.0.0.1", registry=registry)
        while True:
            update(client)
            time.sleep(READ_EVERY_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
