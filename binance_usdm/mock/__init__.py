"""The mock exchange: real signatures, clock, weights and faults, without a network. Its modules import no client.

``Exchange().transport`` goes into a client; ``running`` and ``serve`` put it on a socket; ``usdm_exchange`` is the
pytest fixture. What is known of the exchange is enforced; what is not is a named field of ``Switches``.
Nothing here uses the client it judges, but importing ``binance_usdm.mock`` runs ``binance_usdm``, which loads it.
"""

from .core.accounts import DEFAULT_API_KEY, DEFAULT_API_SECRET, Account
from .core.clock import ManualClock
from .core.request_log import Logged
from .core.response import Delivery, Reply
from .core.switches import Switches
from .exchange import Exchange, running, serve
from .faults.catalogue import FAULTS

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
    "running",
    "serve",
]
