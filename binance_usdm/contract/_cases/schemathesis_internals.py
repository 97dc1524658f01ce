"""What schemathesis has no public form of: the one place where its private names are used.

They may change in any release, which is why its version is pinned exactly in pyproject.toml.
`tests/contract/test_schemathesis_names.py` names them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import schemathesis
from hypothesis import settings
from schemathesis.core import NotSet
from schemathesis.core.result import Ok
from schemathesis.pytest.lazy import get_all_tests
from schemathesis.python.asgi import get_client


def build_tests(
    schema: schemathesis.BaseSchema, function: Callable[..., None], how: settings
) -> Iterator[Callable[[], None]]:
    """Yield a test for each operation, which calls a function with every case.

    `schema.parametrize()` makes the same tests, but only pytest can run them.
    """
    results = get_all_tests(schema=schema, test_func=function, settings=how, given_kwargs=None)
    for result in results:
        assert isinstance(result, Ok), result.err()
        yield result.ok()[1]


def open_session(app: Any) -> Any:
    """Return a session that calls an ASGI application, as `Case.call` makes one for each case."""
    return get_client(app)


def is_absent(body: Any) -> bool:
    """Return whether a case has no body."""
    return isinstance(body, NotSet)


def extracted_value(extracted: Any) -> Any:
    """Return the value that a link took from a response, `None` if there was none."""
    return extracted.value.ok() if isinstance(extracted.value, Ok) else None
