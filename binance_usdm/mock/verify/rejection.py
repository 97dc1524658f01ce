"""Rejection of a request: error code, message and HTTP status.

The messages are those of the documentation (Error Code; 2026-05).
"""

from __future__ import annotations

from typing import Final

from binance_usdm.mock.core.switches import Switches

# All other rejections are a 400.
STATUS_BY_CODE: Final = {-2014: 401, -2015: 401}
MESSAGE_BY_CODE: Final = {
    -1021: "Timestamp for this request is outside of the recvWindow.",
    -1022: "Signature for this request is not valid.",
    -1100: "Illegal characters found in parameter '{name}'; legal range is '{legal}'.",
    -1101: "Too many parameters sent for this endpoint.",
    -1102: "Mandatory parameter '{name}' was not sent, was empty/null, or malformed.",
    -1103: "An unknown parameter was sent.",
    -1104: "Not all sent parameters were read; read '{read}' parameter(s) but was sent '{sent}'.",
    -1105: "Parameter '{name}' was empty.",
    -1130: "Data sent for parameter '{name}' is not valid.",
    -1131: "recvWindow must be less than {maximum}",
    -2014: "API-key format invalid.",
    -2015: "Invalid API-key, IP, or permissions for action.",
    -4109: "This account is inactive. Please activate it before trading.",
}
DUPLICATE_MESSAGE: Final = "Duplicate values for a parameter detected."


class RejectionError(Exception):
    """The exchange rejects a request.

    Args:
        code: The exchange's error code.
        text: Error message. With `None` it is that of the code, filled with `parts`.
        reason: What is wrong with the request, in more words than the exchange has for it. The
            message if empty.
        parts: Values for the placeholders of the message.
    """

    def __init__(
        self, code: int, text: str | None = None, *, reason: str = "", **parts: object
    ) -> None:
        self.code = code
        self.text: str = MESSAGE_BY_CODE[code].format(**parts) if text is None else text
        self.reason: str = reason or self.text
        super().__init__(code)

    def status(self, switches: Switches) -> int:
        """Return the HTTP status of the code."""
        return switches.statuses.get(self.code, STATUS_BY_CODE.get(self.code, 400))
