"""Mock exchange for tests, with real signatures, clock, weights and faults.

`Exchange().transport` is a transport for clients, `running` and `serve` put an exchange on a
socket, and `usdm_exchange` is the pytest fixture. The mock enforces what is known of the exchange;
what is not known is a field of `Switches`.

No module of this package uses the client that it tests. Importing `binance_usdm.mock` still loads
the client, since Python imports `binance_usdm` first.
"""

from .core.clock import ManualClock
from .core.response import Delivery, Reply
from .core.switches import Switches
from .exchange import Exchange
from .faults.catalogue import FAULTS
from .serving import running, serve
from .spec.rows import row
from .state.accounts import DEFAULT_API_KEY, DEFAULT_API_SECRET, Account
from .state.request_log import Logged

__all__ = [
    "DEFAULT_API_KEY",
    "DEFAULT_API_SECRET",
    "FAULTS",
    "Account",
    "Delivery",
    "Exchange",
    "Logged",
    "ManualClock",
    "Reply",
    "Switches",
    "row",
    "running",
    "serve",
]
