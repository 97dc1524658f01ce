"""Seeded faults of the mock exchange: keys of an account, their addresses and permissions."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from functools import partial
from typing import Any, Final

from tests.contract import patch_points as points

from .seeded_fault import seed

fault = partial(seed, "mock")


def _add_own_account(add: Any, state: Any, account: Any, *args: Any, **options: Any) -> None:
    has_key = any(key.account is account for key in state.keys.values())
    add(state, points.Account() if has_key else account, *args, **options)


def _add_with_first_secret(
    add: Any, state: Any, account: Any, api_key: str, secret: Any, **options: Any
) -> None:
    known = [key.secret for key in state.keys.values() if key.account is account]
    add(state, account, api_key, (known or [secret])[0], **options)


def _is_host(key: Any, address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    networks = key.allowed_networks
    return not networks or any(
        parsed in network
        and (network.num_addresses == 1 or parsed not in (network[0], network[-1]))
        for network in networks
    )


def _begins_alike(key: Any, address: str) -> bool:
    networks = [str(network).partition("/")[0] for network in key.allowed_networks]
    return not networks or any(address.startswith(text.rstrip("0123456789")) for text in networks)


def _address_of_first(allows: Any, key: Any, address: str) -> bool:
    """Look at the first entry of the list only."""
    return bool(allows(replace(key, allowed_networks=key.allowed_networks[:1]), address))


def _opened(account: Any) -> Any:
    return account if account.futures_enabled else replace(account, futures_enabled=True)


def _grant(granted: Any) -> Any:
    """Make keys with other permissions than they were given."""
    return points.MAKE_API_KEY.wrap(
        lambda make, account, key, secret, addresses, permissions, **more: make(
            account, key, secret, addresses, granted(permissions), **more
        )
    )


ACCOUNT: Final = "account_belongs_to_its_keys"
ADDRESSES: Final = "addresses_of_a_key_hold"
PERMISSIONS: Final = "permissions_of_a_key_hold"
ALIKE: Final = "rejected_keys_look_alike"
UNOPENED: Final = "unopened_accounts_follow_the_switch"
LOADED: Final = "saved_scenario_is_loaded"

FAULTS: Final = (
    fault("account for each key", ACCOUNT, LOADED)(points.ADD_KEY.wrap(_add_own_account)),
    fault("one secret for an account", ACCOUNT, ADDRESSES, PERMISSIONS)(
        points.ADD_KEY.wrap(_add_with_first_secret)
    ),
    fault("addresses of a key ignored", ADDRESSES, ALIKE)(
        points.ALLOWS_ADDRESS.replace(lambda key, address: True)
    ),
    fault("edges of a network left out", ADDRESSES)(points.ALLOWS_ADDRESS.replace(_is_host)),
    fault("addresses compared by their beginning", ADDRESSES)(
        points.ALLOWS_ADDRESS.replace(_begins_alike)
    ),
    fault("first address of a list only", ADDRESSES)(points.ALLOWS_ADDRESS.wrap(_address_of_first)),
    fault("permissions of a key ignored", PERMISSIONS, ALIKE, "wrong_settings_are_refused")(
        _grant(lambda permissions: ("reading", "futures"))
    ),
    fault("any permission lets a key read", PERMISSIONS, "wrong_settings_are_refused")(
        _grant(lambda permissions: ("reading", "futures") if permissions else ())
    ),
    fault("reason in the response", ALIKE, "error_codes_are_listed")(
        points.KEY_REJECTION.wrap(
            lambda reject, context, reason: points.RejectionError(-2015, reason)
        )
    ),
    fault("address of the caller always told", ALIKE, "error_codes_are_listed")(
        points.KEY_REJECTION.wrap(
            lambda reject, context, reason: reject(
                replace(context, switches=replace(context.switches, caller_ip=context.address)),
                reason,
            )
        )
    ),
    fault("foreign address has a code of its own", ALIKE, ADDRESSES)(
        points.KEY_REJECTION.wrap(
            lambda reject, context, reason: (
                points.RejectionError(-1022) if "must not" in reason else reject(context, reason)
            )
        )
    ),
    fault("unopened account has rows", UNOPENED)(
        points.RESPONSE_BODY.wrap(
            lambda make_body, pipeline, operation, account, now, **more: make_body(
                pipeline, operation, _opened(account), now, **more
            )
        )
    ),
)
