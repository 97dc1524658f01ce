"""Check of `doctor`: the weight budget in Redis that the environment names."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, TypeAlias

from binance_usdm import IPBannedError, UsdmError
from binance_usdm._config.base_url import BaseUrl
from binance_usdm._config.environment import ENV_BUDGET, limiter_from_env
from binance_usdm._secrets import Problem

from .findings import CheckResult
from .probe import CheckContext

Check: TypeAlias = tuple[Callable[[CheckContext], CheckResult], tuple[str, ...]]
"""A check, and the names of those that it requires."""

_ADVICE_URL: Final = f"Set {ENV_BUDGET} to a Redis URL, such as redis://:password@host:6379/0."
_ADVICE_SERVER: Final = (
    f"Calls with {ENV_BUDGET} are not sent while the server gives no answer. Check that it runs, and "
    "host, port and password of the URL."
)
_ADVICE_HOLD: Final = (
    "All processes of this budget wait. A ban of the exchange ends by itself; clear one that was not "
    "the exchange's with RedisLimiter(url).clear_cooldown()."
)


def add_budget_check(checks: dict[str, Check]) -> dict[str, Check]:
    """Return the checks, with that of the budget before any call if the environment names one."""
    if not os.environ.get(ENV_BUDGET):
        return checks
    before = {name: checks[name] for name in ("credentials", "base_url")}
    return {**before, "budget": (check_budget, ("base_url",)), **checks}


def check_budget(context: CheckContext) -> CheckResult:
    """Check that the Redis server of the environment counts. The other checks use it then."""
    # The check of the base URL came before.
    assert isinstance(context.url, BaseUrl)
    limiter = limiter_from_env(str(context.url))
    if isinstance(limiter, Problem):
        return "problem", str(limiter), _ADVICE_URL, {}
    limiter.bind_base_url(str(context.url), is_test=context.url.is_test)
    try:
        wait_seconds = limiter.acquire(0)
    except IPBannedError as error:
        return "problem", str(error), _ADVICE_HOLD, {}
    except UsdmError as error:
        return "problem", str(error), _ADVICE_SERVER, {}
    context.limiter = limiter
    if wait_seconds > 0:
        summary = f"the budget in Redis has no room for {wait_seconds:.1f} s"
        return "warning", summary, _ADVICE_HOLD, {}
    return "ok", f"the Redis server of {ENV_BUDGET} counts", "", {}
