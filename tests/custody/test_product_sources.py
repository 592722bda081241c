"""Every story of a product or an event names the source of its rule, and there are enough of them.

Goal: no rule without a source. Method: read the docstrings of all stories in the folders beside this file.
"""

from __future__ import annotations

import ast
from pathlib import Path


def _stories(folder: str) -> dict[str, str]:
    found = {}
    for path in sorted((Path(__file__).parent / folder).glob("test_*_stories.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        shared = ast.get_docstring(tree) or ""
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found[f"{path.name}:{node.name}"] = f"{shared}\n{ast.get_docstring(node) or ''}"
    return found


def test_every_product_story_names_its_source() -> None:
    """Goal: a rule can be looked up. Method: the docstring of the story has a line that opens with "Source:"."""
    bare = [name for name, text in _stories("stories_products").items() if "\nSource: " not in text]
    assert not bare, f"name the source of the rule in {', '.join(bare)}"


def test_there_are_at_least_fourteen_product_life_cycles() -> None:
    """Goal: the products of the issue are told whole. Method: count the stories."""
    assert len(_stories("stories_products")) >= 14
