"""All seeded faults, and changes that keep every promise, as one table.

Each file has those of one subject. A fault names its layer and exactly the checks of that layer
that notice it.
"""

from __future__ import annotations

from typing import Final

from . import (
    documents,
    mock,
    mock_delivery,
    mock_keys,
    mock_limits,
    mock_queue,
    mock_records,
    mock_setup,
    mock_small_changes,
    request_attempts,
    request_options,
    request_safety,
    request_sockets,
    requests,
    response_attempts,
    response_connections,
    response_errors,
    response_follow_ups,
    response_metadata,
    response_objects,
    response_values,
)
from .seeded_fault import SeededFault

SEEDED_FAULTS: Final = (
    *mock.FAULTS,
    *mock_small_changes.FAULTS,
    *mock_limits.FAULTS,
    *mock_keys.FAULTS,
    *mock_queue.FAULTS,
    *mock_records.FAULTS,
    *mock_setup.FAULTS,
    *mock_delivery.FAULTS,
    *requests.FAULTS,
    *request_attempts.FAULTS,
    *request_options.FAULTS,
    *request_safety.FAULTS,
    *request_sockets.FAULTS,
    *response_values.FAULTS,
    *response_errors.FAULTS,
    *response_attempts.FAULTS,
    *response_connections.FAULTS,
    *response_objects.FAULTS,
    *response_metadata.FAULTS,
    *response_follow_ups.FAULTS,
    *documents.FAULTS,
)
FAULT_BY_NAME: Final[dict[str, SeededFault]] = {fault.name: fault for fault in SEEDED_FAULTS}
