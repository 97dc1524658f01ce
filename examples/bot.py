"""The part of a trading bot that reads money: how much may the next order use?

test_bot.py tests it against the mock exchange: `python -m pytest test_bot.py`.
"""

from decimal import ROUND_DOWN, Decimal

import binance_usdm

CENT = Decimal("0.01")


class Budget:
    """Decides what the next order may use.

    Args:
        client: Client of the account.
        asset: Asset that orders are paid in.
        share: Part of the free margin that one order may use.
    """

    def __init__(self, client: binance_usdm.Client, asset: str, share: Decimal) -> None:
        self._client = client
        self._asset = asset
        self._share = share
        self.stopped = False

    def next_order(self) -> Decimal:
        """Return the amount for the next order, rounded down to cents. 0 means: do not trade.

        A rejected key stops the bot for good. Any other failure skips this order.
        """
        if self.stopped:
            return Decimal(0)
        try:
            rows = self._client.balance()
        except binance_usdm.AuthenticationError:
            self.stopped = True
            return Decimal(0)
        except binance_usdm.UsdmError:
            return Decimal(0)
        free = next((row.available_balance for row in rows if row.asset == self._asset), Decimal(0))
        return max(free * self._share, Decimal(0)).quantize(CENT, rounding=ROUND_DOWN)
