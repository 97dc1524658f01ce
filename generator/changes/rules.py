"""All rules by their ids."""

from __future__ import annotations

from .argument_rules import ARGUMENT_RULES
from .document_rules import DOCUMENT_RULES
from .field_rules import CLASS_RULES, FIELD_RULES
from .operation_rules import OPERATION_RULES
from .steps import Rule

RULES: dict[str, Rule] = {
    **OPERATION_RULES,
    **ARGUMENT_RULES,
    **FIELD_RULES,
    **CLASS_RULES,
    **DOCUMENT_RULES,
}
"""By the id that the JSON form has as `rule`."""
