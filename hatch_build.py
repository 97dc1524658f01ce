"""Puts a bill of materials into the wheel: what it needs at run time, from pyproject.toml and the lock. Installs, asks and guesses nothing.

Here because hatchling looks here, and the sdist must hold it too: a wheel built from the sdist is the same. It uses what building needs
anyway, so a build still needs hatchling alone. The result is CycloneDX 1.6 (ECMA-424) in `.dist-info/sboms/` (PEP 770), and depends on
nothing but the two files, the version and SOURCE_DATE_EPOCH: no machine, no clock, no chance.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import tomllib
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

NAME = "binance-usdm"
FILE = f"{NAME}.cdx.json"


class BillOfMaterials(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        project = (root / "pyproject.toml").read_text(encoding="utf-8")
        lock = (root / "requirements-dev.txt").read_text(encoding="utf-8")
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name) / FILE
        path.write_text(
            bill(project, lock, self.metadata.version, os.environ.get("SOURCE_DATE_EPOCH")),
            encoding="utf-8",
        )
        build_data["sbom_files"].append(str(path))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if version != "editable":
            self._folder.cleanup()


def bill(project_text: str, lock_text: str, version: str, epoch: str | None) -> str:
    """The bill as JSON; KeyError when the lock lacks a dependency."""
    project = tomllib.loads(project_text)["project"]
    versions, needs = locked(lock_text)
    declared = requirement_names(project["dependencies"])
    extras = {
        extra: requirement_names(lines) for extra, lines in project["optional-dependencies"].items()
    }
    required = closure(declared, needs)
    every = required.union(*(closure(names, needs) for names in extras.values()))

    def component(name: str) -> dict[str, Any]:
        found: dict[str, Any] = {
            "type": "library", "bom-ref": purl(name, versions[name]), "name": name, "version": versions[name],
            "scope": "required" if name in required else "optional", "purl": purl(name, versions[name]),
        }  # fmt: skip
        wanted_by = sorted(
            extra for extra, names in extras.items() if name in closure(names, needs) - required
        )
        if wanted_by:
            found["properties"] = [{"name": f"{NAME}:extra", "value": extra} for extra in wanted_by]
        return found

    us = purl(NAME, version)
    edges = {us: declared.union(*extras.values())} | {
        purl(name, versions[name]): needs.get(name, set()) for name in every
    }
    document: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {
            "lifecycles": [{"phase": "build"}],
            "component": {
                "type": "library", "bom-ref": us, "name": NAME, "version": version, "purl": us,
                "description": project["description"], "licenses": [{"license": {"id": project["license"]}}],
            },
        },
        "components": [component(name) for name in sorted(every)],
        "dependencies": [
            {"ref": ref, "dependsOn": sorted(purl(name, versions[name]) for name in names)} for ref, names in sorted(edges.items())
        ],
    }  # fmt: skip
    if epoch is not None:
        document["metadata"]["timestamp"] = datetime.fromtimestamp(int(epoch), UTC).isoformat()
    serial = uuid.uuid5(
        uuid.NAMESPACE_URL, json.dumps(document, sort_keys=True)
    )  # the same content is the same bill
    return (
        json.dumps({**document, "serialNumber": f"urn:uuid:{serial}"}, indent=1, ensure_ascii=False)
        + "\n"
    )


def requirement_names(lines: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in lines}


def locked(text: str) -> tuple[dict[str, str], dict[str, set[str]]]:
    """Version of every locked package, and for every package what it brought in (uv notes the opposite: `# via`)."""
    versions: dict[str, str] = {}
    needs: dict[str, set[str]] = {}
    for entry in re.split(r"\n(?=[^\s#])", text):
        if match := re.match(r"([\w.-]+)==([\w.+]+)", entry):
            name = canonicalize_name(match[1])
            versions[name] = match[2]
            for parent in re.findall(r"^ +#(?: via)? +([\w.-]+)$", entry, re.MULTILINE):
                needs.setdefault(canonicalize_name(parent), set()).add(name)
    return versions, needs


def closure(names: set[str], needs: dict[str, set[str]]) -> set[str]:
    """These packages and all that they bring in."""
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(needs.get(name, ()))
    return found


def purl(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"
