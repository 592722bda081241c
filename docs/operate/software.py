"""What an installation that serves consists of: its lock, cut from the whole one, and its list of software (SBOM).

    python docs/operate/software.py lock > serve.lock
    python docs/operate/software.py sbom > sbom.json

``lock`` prints the blocks of ``requirements-dev.lock`` that the core and the extras below need, hashes and all, so that
there is one truth about versions. ``sbom`` makes a CycloneDX document of them with cyclonedx-bom, and adds the licence
that each installed package states.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = ("risk", "analytics", "postgres", "messages", "service", "reports")
OURS = "tsingma (pyproject.toml)"
UNKNOWN = "not stated"  # by the package, or it is not for this platform and so not installed


def canonical(name: str) -> str:
    """Return a package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def blocks() -> list[tuple[str, set[str], str]]:
    """Return name, who needs it, and the text of every block of the lock; a name may stand twice, for two platforms."""
    found: list[tuple[str, set[str], str]] = []
    text = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    for block in re.split(r"\n(?=[A-Za-z0-9])", text.strip()):
        lines = block.splitlines()
        told = " ".join(line.strip().lstrip("#").strip() for line in lines if line.strip().startswith("#"))
        by = {canonical(one.partition("[")[0]) for one in told.removeprefix("via").replace(OURS, "").split()}
        found.append((canonical(re.split(r"[=\[ ;]", lines[0])[0]), by, block))
    return found


def wanted() -> set[str]:
    """Return the packages that the core and the extras name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [*project["dependencies"], *(one for extra in EXTRAS for one in project["optional-dependencies"][extra])]
    return {canonical(re.split(r"[<>=!\[; ]", one)[0]) for one in named}


def lock() -> str:
    """Return the lock of an installation that serves."""
    known = blocks()
    needed = wanted()
    while True:
        more = {name for name, by, _ in known if by & needed}
        if more <= needed:
            break
        needed |= more
    return "\n".join(block for name, _, block in known if name in needed) + "\n"


def licence(name: str) -> str:
    """Return the licence that an installed package states: expression, field, or classifiers."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return UNKNOWN
    short = str(told.get("License") or "").strip()
    classified = [one.rpartition(" :: ")[2] for one in told.get_all("Classifier") or () if one.startswith("License ::")]
    stated = str(told.get("License-Expression") or "") or (short if 0 < len(short) < 100 else " AND ".join(classified))
    return stated or UNKNOWN


def sbom() -> dict[str, Any]:
    """Return the CycloneDX document: every package of the lock with version, SHA-256 of its files, and licence."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "serve.lock"
        file.write_text(lock(), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "cyclonedx_py",
            "requirements",
            str(file),
            "--output-reproducible",
            "--of",
            "JSON",
        ]
        made = subprocess.run(command, capture_output=True, text=True, check=True)
    document: dict[str, Any] = json.loads(made.stdout)
    for component in document["components"]:
        component["licenses"] = [{"license": {"name": licence(component["name"])}}]
        component.pop("description", None)  # the line of the lock once more
    return document


if __name__ == "__main__":
    if sys.argv[1:] == ["lock"]:
        sys.stdout.write(lock())
    elif sys.argv[1:] == ["sbom"]:
        json.dump(sbom(), sys.stdout, indent=1, sort_keys=True)
    else:
        sys.exit("say lock or sbom")
