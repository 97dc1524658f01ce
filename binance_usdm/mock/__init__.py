"""The mock exchange: real signatures, clock, weights and faults, without a network. Its modules import no client.

``Exchange().transport`` goes into a client; ``running`` and ``serve`` put it on a socket; ``usdm_exchange`` is the
pytest fixture. What is known of the exchange is enforced; what is not is a named field of ``Switches``.
Nothing here uses the client it judges, but importing ``binance_usdm.mock`` runs ``binance_usdm``, which loads it.
"""

from .account import DEFAULT_API_KEY, DEFAULT_API_SECRET, Account
from .app import running, serve
from .clock import ManualClock
from .exchange import Exchange
from .faults import FAULTS
from .record import Logged
from .reply import Delivery, Reply
from .switches import Switches

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
