"""Which responses are right, as functions of what is assumed of open questions."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from binance_usdm.mock import Switches

from .variants import OK, Expectation, Response

# The other codes have 400.
STATUSES: Final = {-2014: 401, -2015: 401}


def accepted(switches: Switches) -> Collection[Response]:
    """Return the response to a valid request."""
    return (OK,)


def rejected(**codes: int | tuple[int, ...]) -> Expectation:
    """Return what comes of a request that a check rejects.

    Args:
        codes: By the name of a check, the code with which it rejects the request; several where
            the documentation does not say which. If several checks do, the first one counts.
    """

    def expect(switches: Switches) -> Collection[Response]:
        first = next(codes[name] for name in switches.order if name in codes)
        return with_statuses(switches, *(first if isinstance(first, tuple) else (first,)))

    return expect


def with_statuses(switches: Switches, *codes: int) -> Collection[Response]:
    """Return the responses with these codes."""
    return {(switches.statuses.get(code, STATUSES.get(code, 400)), code) for code in codes}


def unknown_parameter(switches: Switches) -> Collection[Response]:
    """Return the response to a parameter that the operation does not have."""
    code = switches.unknown_parameter
    return (OK,) if code is None else with_statuses(switches, code)


def missing_and_unknown(switches: Switches) -> Collection[Response]:
    """Return the response to a mandatory parameter under another name: either may be named."""
    code = switches.unknown_parameter
    return with_statuses(switches, -1102, *(() if code is None else (code,)))


def missing_signature(switches: Switches) -> Collection[Response]:
    """Return the response to a request without a signature."""
    return with_statuses(switches, switches.missing_signature)


def moved_signature(switches: Switches) -> Collection[Response]:
    """Return the response to a valid signature that is not the last parameter."""
    return with_statuses(switches, -1022) if switches.signature_last else (OK,)


def microseconds(switches: Switches) -> Collection[Response]:
    """Return the response to a timestamp in microseconds."""
    return (OK,) if switches.microseconds else with_statuses(switches, -1021)


def known_form(key: str) -> Expectation:
    """Return what comes of an unknown key: its code says whether it could be one."""

    def expect(switches: Switches) -> Collection[Response]:
        is_key = re.fullmatch(switches.key_format, key) is not None
        return with_statuses(switches, -2015 if is_key else -2014)

    return expect


def unknown_path(switches: Switches) -> Collection[Response]:
    """Return the response to a path that the exchange does not have."""
    return {(404, -5000 if switches.not_found == "json" else None)}


def unknown_method(switches: Switches) -> Collection[Response]:
    """Return the response to a method that a path does not have."""
    # Nothing is documented of the body of a 405.
    return unknown_path(switches) if switches.wrong_method == 404 else {(405, -5000), (405, None)}


def window(milliseconds: int, in_time: bool, is_ahead: bool = False) -> Expectation:
    """Return what comes of a request with a window.

    Args:
        milliseconds: The window.
        in_time: Whether the timestamp is within it.
        is_ahead: Whether the timestamp is too far ahead, for which no window matters.
    """

    def expect(switches: Switches) -> Collection[Response]:
        maximum = switches.window_maximum
        if maximum is None or milliseconds <= maximum:
            return (OK,) if in_time else with_statuses(switches, -1021)
        # Which of two faults is named is not documented.
        return with_statuses(switches, -1131, *(() if in_time else (-1021,)))

    return expect


def malformed(is_required: bool, *others: int) -> Expectation:
    """Return what comes of a value that is not of the type of its parameter.

    Args:
        is_required: Whether the parameter is mandatory.
        others: Other codes that the documentation allows.
    """

    def expect(switches: Switches) -> Collection[Response]:
        code = switches.malformed_mandatory if is_required else switches.malformed_optional
        return with_statuses(switches, code, *others)

    return expect


def out_of_range(switches: Switches) -> Collection[Response]:
    """Return the response to a value that is outside of what the document allows."""
    return with_statuses(switches, switches.out_of_range)


def any_of(*expectations: Expectation) -> Expectation:
    """Return what comes of a request for which more than one response is right."""
    return lambda switches: {each for expect in expectations for each in expect(switches)}


def replayed(switches: Switches) -> Collection[Response]:
    """Return the response to a request that was sent before."""
    return with_statuses(switches, -1022) if switches.refuse_replay else (OK,)


def unless_replayed(expect: Expectation) -> Expectation:
    """Return what comes of a request without a time of its own, which may have been sent before."""

    def expect_also(switches: Switches) -> Collection[Response]:
        replay = with_statuses(switches, -1022) if switches.refuse_replay else ()
        return {*expect(switches), *replay}

    return expect_also


def without_credentials(has_signature: bool) -> Expectation:
    """Return what comes of a request without key, timestamp and signature."""

    def expect(switches: Switches) -> Collection[Response]:
        missing = (-1102, switches.missing_signature) if has_signature else ()
        codes = {"key": (-2014,), "parameters": missing, "timestamp": missing, "signature": missing}
        return rejected(**{name: each for name, each in codes.items() if each})(switches)

    return expect
