"""The threat model stands on tests that are there.

Goal: no claim without its test. Method: every ``file::test`` of the page is looked for in the source of that file,
every line of its tables names at least one, and all six kinds of threat have lines.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
KINDS = [
    "Spoofing",
    "Tampering",
    "Repudiation",
    "Information disclosure",
    "Denial of service",
    "Elevation of privilege",
]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def _tests(file: str) -> set[str]:
    path = ROOT / file
    if not path.is_file():
        return set()
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_test_that_is_named_exists() -> None:
    """Goal: renamed tests are noticed. Method: as the module says."""
    named = sorted(set(NAMED.findall(PAGE)))
    missing = [f"{file}::{test}" for file, test in named if test not in _tests(file)]
    assert not missing
    assert len(named) > 50


def test_every_threat_names_a_test() -> None:
    """Goal: no empty cell. Method: rows of the six tables."""
    sections = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert sections == [*KINDS, "What is left"]
    for kind in KINDS:
        rows = [
            line for line in PAGE.partition(f"## {kind}\n")[2].partition("\n## ")[0].splitlines() if line[:1] == "|"
        ]
        assert len(rows) >= 4, kind
        for row in rows[2:]:
            cells = [cell.strip() for cell in row.strip("|").split("|")]
            assert len(cells) == 3
            assert NAMED.search(cells[2]), row
