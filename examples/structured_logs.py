"""Log the events of calls as one JSON object a line, for a log collector.

    python structured_logs.py

An event has numbers, names and the class of an error, and no key, secret, signature or amount.
Lines go to stderr; the balances go to stdout.
"""

import json
import logging
import sys

import binance_usdm

logger = logging.getLogger("my-program")


class JsonFormatter(logging.Formatter):
    """Formats a record and its `fields` as JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line = {"level": record.levelname, "message": record.getMessage()}
        return json.dumps(line | getattr(record, "fields", {}))


def log_event(event: binance_usdm.Event) -> None:
    fields: dict[str, object] = {
        "operation": event.operation,
        "attempt": event.attempt,
        "seconds": round(event.seconds, 3),
        "offset_ms": event.offset_ms,
        "status": event.status,
        "code": event.code,
        "used_weight": event.used_weight,
        "weight_left": event.weight_left,
    }
    if event.error is not None:
        fields["error"] = type(event.error).__name__
    logger.warning(event.kind, extra={"fields": fields})


def main() -> int:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logger.addHandler(handler)
    with binance_usdm.Client.from_env(on_event=log_event) as client:
        response = client.balance_detailed()
    fields = {"attempts": response.attempts, "used_weight": response.used_weight}
    logger.warning("balance", extra={"fields": fields})
    for row in response.parsed:
        print(row.to_json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
