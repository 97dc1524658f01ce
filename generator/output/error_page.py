"""The command `python -m generator.output.error_page [--check]`: write docs/errors.md from the spec.

Exit status: 0 when the page is up to date or was written, 1 when `--check` finds a difference.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from generator.document.openapi import Json, load
from generator.model.literals import plain_text
from generator.model.operations import described_statuses

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "errors.md"
HEAD = """\
<!-- Written by `python -m generator.output.error_page` from spec/openapi.yaml. Do not edit. -->

# Errors

The text of every `APIError` ends with the address of its entry here. The error's class follows from
the exchange's code, else from the HTTP status; `.retryable` says whether the same call may succeed
later. The texts are those of [spec/openapi.yaml](../spec/openapi.yaml).
"""
CODES = """\
## Codes

What the exchange sends as `code`. A code that is not listed, and one of `BadRequestError`, is judged
by its HTTP status.
"""
STATUSES = """\
## HTTP statuses

What an error without a known code means. Pages of firewalls and networks have no code; `.hint` names
their cause when it is known.
"""
NOT_SENT = """\
### Not sent

`RateLimitError` or `IPBannedError` with status 0: the client held the request back, since the weight
budget is used up until after the call's deadline, or a ban lasts. Nothing was sent.

客户端没有发送请求：权重额度在调用的期限之前不会恢复，或 IP 仍被封禁。
"""


def render_page(document: Json) -> str:
    """Return the page for a document that has passed the lint."""
    parts = [HEAD, CODES, *_code_entries(document), STATUSES, *_status_entries(document), NOT_SENT]
    return "\n".join(parts)


def _code_entries(document: Json) -> Iterator[str]:
    for code, error in document.get("x-error-codes", {}).items():
        is_permanent = error.get("retryable") is False
        class_name = f"`{error['kind'].title().replace('-', '')}Error`"
        later = ", never `retryable`" if is_permanent else ""
        yield f"### {code}\n\n`{error['name']}`, {class_name}{later}\n"
        yield f"{_sentence(error['meaning'])} {_sentence(error['hint'])}\n"
        if {"x-meaning-zh", "x-hint-zh"} <= error.keys():
            yield f"{error['x-meaning-zh']}。{error['x-hint-zh']}。\n"


def _status_entries(document: Json) -> Iterator[str]:
    for status, response in described_statuses(document).items():
        yield f"### HTTP {status}\n\n{_sentence(response['description'])}\n"
        if "x-description-zh" in response:
            yield f"{response['x-description-zh']}\n"


def _sentence(text: str) -> str:
    text = plain_text(text).strip()
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def main(arguments: list[str]) -> int:
    """Write the page, or only compare it, and return the exit status."""
    page = render_page(load(ROOT / "spec" / "openapi.yaml"))
    is_current = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page
    if arguments == ["--check"]:
        if not is_current:
            print(f"{PAGE.relative_to(ROOT)}: stale or edited", file=sys.stderr)
        return 0 if is_current else 1
    if not is_current:
        PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
