"""Changes of one fact of the spec each, and the checks that notice that the product has another.

The product stays as it is and is compared with a changed document, as a product is that lags behind
the exchange. Layer A judges a mock exchange of the unchanged spec, layers B and C a client. Examples
follow the fact, so that a document never contradicts itself.
"""

from __future__ import annotations

from typing import Final

from . import operations, responses, texts, values
from .change import SpecChange

SPEC_CHANGES: Final = (
    *operations.CHANGES,
    *responses.CHANGES,
    *values.CHANGES,
    *texts.CHANGES,
)
CHANGE_BY_NAME: Final[dict[str, SpecChange]] = {change.name: change for change in SPEC_CHANGES}
