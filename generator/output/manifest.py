"""Describe what the package was generated from, and say why a file differs.

The manifest is a file of the package. A file that is not as the manifest has it was edited by hand.
One that is, but differs from what is generated now, is older than the spec or the tools.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from generator.document.openapi import Json

from .package_files import STALE, Files

NAME = "manifest.json"
LIBRARY = "openapi-python-client"
FORMATTER = "ruff"
SOURCES = ("templates/*.jinja", "runtime/*.py")
CAUSES = {
    "spec": "the spec changed",
    "templates": "templates or runtime changed",
    "library": f"{LIBRARY} has another version",
    "formatter": f"{FORMATTER} has another version",
}
"""Why a file is out of date, by the entry of the manifest that changed, in the order asked."""
EDITED = "edited by hand"
OTHER_CAUSE = "the generator's code changed"


def make_manifest(document: Json, files: Mapping[str, bytes], banner: str) -> bytes:
    """Return the manifest of a package with these files."""
    manifest = {
        "x-written-by": banner,
        "spec": _checksum(json.dumps(document, ensure_ascii=False).encode()),
        "spec_version": document["info"]["version"],
        "templates": _checksum(b"".join(_read_sources())),
        "library": f"{LIBRARY} {version(LIBRARY)}",
        "formatter": f"{FORMATTER} {version(FORMATTER)}",
        "files": {path: _checksum(content) for path, content in sorted(files.items())},
    }
    return json.dumps(manifest, ensure_ascii=False, indent=1).encode() + b"\n"


def explain_differences(now: Files, fresh: Files, differences: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with each file, with the cause where it is known."""
    written = _parse(now.get(NAME))
    current = _parse(fresh.get(NAME))
    if written is None or current is None:
        return dict(differences)
    cause = next(
        (words for key, words in CAUSES.items() if written.get(key) != current.get(key)),
        OTHER_CAUSE,
    )
    explained = dict(differences)
    for path, problem in differences.items():
        if problem == STALE:
            # The manifest does not list itself: it differs whenever another file or a cause does.
            is_edited = path != NAME and written["files"].get(path) != _checksum(now[path])
            explained[path] = EDITED if is_edited else f"stale: {cause}"
    return explained


def _parse(content: bytes | None) -> Json | None:
    """Return a manifest, or None if there is none that can be used."""
    try:
        manifest = json.loads(content or b"null")
    except ValueError:
        return None
    is_usable = isinstance(manifest, dict) and isinstance(manifest.get("files"), dict)
    return manifest if is_usable else None


def _read_sources() -> list[bytes]:
    folder = Path(__file__).parent.parent
    return [path.read_bytes() for pattern in SOURCES for path in sorted(folder.glob(pattern))]


def _checksum(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
