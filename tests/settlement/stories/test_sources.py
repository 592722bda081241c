"""Every story names the source of its rule, and there are enough of them.

Goal: no rule without a source. Method: read the docstrings of all stories beside this file.
"""

from __future__ import annotations

import ast
from pathlib import Path


def _stories() -> dict[str, str]:
    found = {}
    for path in sorted(Path(__file__).parent.glob("test_*_stories.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found[f"{path.name}:{node.name}"] = ast.get_docstring(node) or ""
    return found


def test_every_story_names_its_source() -> None:
    """Goal: a rule can be looked up. Method: each docstring has a line that opens with "Source:"."""
    bare = [name for name, text in _stories().items() if "\nSource: " not in text]
    assert not bare, f"name the source of the rule in {', '.join(bare)}"


def test_there_are_more_than_sixty_stories() -> None:
    """Goal: the rules of T2S and CCASS are told whole. Method: count functions, not their parameters."""
    assert len(_stories()) > 60
