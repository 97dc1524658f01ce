"""All seeded changes; the first ones happened."""

from __future__ import annotations

from tests.generator.changes.argument_seeds import ARGUMENTS
from tests.generator.changes.dated_seeds import DATED
from tests.generator.changes.document_seeds import REST
from tests.generator.changes.field_seeds import FIELDS
from tests.generator.changes.operation_seeds import OPERATIONS
from tests.generator.changes.rare_seeds import MORE

SEEDS = [*DATED, *OPERATIONS, *ARGUMENTS, *FIELDS, *REST, *MORE]
