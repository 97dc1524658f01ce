"""Names of the checks of responses, for the tables of seeded faults."""

from __future__ import annotations

from typing import Final

# Values.
BODIES: Final = "described_bodies_are_returned"
EXACT: Final = "values_are_exact_in_every_place"
OTHER: Final = "other_bodies_are_rejected"
WRONG: Final = "wrong_values_are_rejected_with_their_path"
JSON: Final = "json_is_read_strictly"
SIZES: Final = "sizes_are_bounded"
COMPRESSED: Final = "size_of_compressed_bodies_is_bounded"
ACCOUNTS: Final = "rows_of_another_account_are_rejected"
SHARED: Final = "responses_share_no_object"
PLAIN: Final = "plain_methods_return_the_value"
HOLDINGS: Final = "holdings_are_named"
COMPARED: Final = "values_are_compared_and_kept"
OTHER_PATHS: Final = "other_paths_return_exact_json"
# What comes beside them.
METADATA: Final = "response_metadata_is_returned"
HEADERS: Final = "headers_and_times_are_returned"
DURATION: Final = "waits_are_a_part_of_the_duration"
CONTEXT: Final = "values_do_not_depend_on_the_decimal_context"
EVENTS: Final = "events_tell_what_happens"
LOGS: Final = "logs_show_no_secret"
RECORDS: Final = "log_records_have_the_events"
# Errors.
MATRIX: Final = "every_response_is_a_value_or_an_error"
MOCK_FAULTS: Final = "mock_faults_are_classified"
ERRORS: Final = "error_responses_are_classified"
MESSAGES: Final = "messages_are_sanitized"
WAITS: Final = "waits_are_read"
HINTS: Final = "hints_belong_to_their_codes"
SECRETS: Final = "errors_hide_secrets"
HIDDEN: Final = "errors_hide_values"
KEPT: Final = "errors_are_kept"
TEXTS: Final = "texts_say_what_is_known"
ENTRIES: Final = "statuses_have_their_entries"
PAGES: Final = "pages_are_explained"
UNKNOWN_PAGES: Final = "unknown_pages_are_shown"
LABELS: Final = "errors_begin_with_the_label"
CLOSED: Final = "responses_of_transports_are_closed"
TRANSPORT: Final = "errors_of_transports_are_retried"
PERMANENT: Final = "permanent_codes_are_not_retryable"
DESCRIBED_WAIT: Final = "described_wait_is_read"
DESCRIBED_WEIGHT: Final = "described_weight_is_read"
# What follows from a response.
ATTEMPTS: Final = "attempts_are_made_and_counted"
DEADLINE: Final = "waits_beyond_the_deadline_end_the_call"
HOLDS: Final = "limits_hold_every_client"
TOLD: Final = "limiter_is_told"
BUDGET: Final = "budget_of_the_minute_is_kept"
BUDGET_KNOWN: Final = "budget_is_known"
GO_ON: Final = "clients_go_on_after_errors"
OUTAGE: Final = "retries_end_in_an_outage"
RECOVERY: Final = "retries_return_after_an_outage"
DELAYS: Final = "delays_grow"
# Connections.
PHASES: Final = "time_is_up_in_every_phase"
BROKEN: Final = "broken_responses_are_retried"
SENT_SIZE: Final = "size_of_sent_bytes_is_bounded"
STIRRED: Final = "kept_connections_that_stir_are_not_used"
MISDIRECTED: Final = "connections_of_other_accounts_are_closed"
OPTIONS: Final = "transports_keep_to_their_options"
LONGER: Final = "shorter_limits_do_not_end_longer_ones"
FRAMINGS: Final = "responses_are_read_in_every_framing"

VALUES: Final = (BODIES, EXACT, JSON, SIZES, METADATA)
ALL_VALUES: Final = (*VALUES, MOCK_FAULTS)
INVALID: Final = (OTHER, WRONG)
CLASSES: Final = (MATRIX, ERRORS, MOCK_FAULTS, ATTEMPTS)
CODES: Final = (*CLASSES, METADATA)
# They use the policy without retries, and have errors that are retryable.
WITHOUT_RETRIES: Final = (
    *(OTHER, JSON, MATRIX, MOCK_FAULTS, ERRORS, MESSAGES, WAITS, PLAIN),
    *(SECRETS, HIDDEN, KEPT, LABELS, HINTS, TEXTS, ENTRIES, PAGES, UNKNOWN_PAGES),
)
