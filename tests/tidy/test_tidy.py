"""Style is a test: what a linter does not know about this house is checked here, with the remedy in the message."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "tsingma"
MODULES = sorted(SOURCE.rglob("*.py"))
# An optimiser only proposes: its weights and bounds are floats, and integers decide before anything is booked.
PROPOSERS = (
    "settlement/exact.py", "settlement/optimise.py", "settlement/partial.py", "settlement/proposal.py",
    "settlement/short_accounts.py",
)  # fmt: skip
MONEY_ROOMS = ("basics", "reference", "ledger", "clearing", "settlement", "custody", "journal")
LINES_MODULE_MAX = 400
LINES_FUNCTION_MAX = 60


def _room(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0]


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _ids(path: Path) -> str:
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("path", MODULES, ids=_ids)
def test_module_is_small_and_says_what_it_is_for(path: Path) -> None:
    """Goal: modules fit in a head. Method: parse each one, measure it and its functions, look for its docstring."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), f"{path}: open the module with a docstring that says what it is for"
    assert text.count("\n") <= LINES_MODULE_MAX, f"{path}: split it, {LINES_MODULE_MAX} lines at most"
    for function in _functions(tree):
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        assert length <= LINES_FUNCTION_MAX, f"{path}:{function.lineno}: {function.name} has {length} lines, split it"


def test_tests_are_small_and_say_what_they_are_for() -> None:
    """Goal: the same of tests, whose functions may be stories. Method: lines and docstring of every module of them."""
    for path in sorted((ROOT / "tests").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert ast.get_docstring(ast.parse(text)), f"{path}: open the module with a docstring that says what it tests"
        assert text.count("\n") <= LINES_MODULE_MAX, f"{path}: split it by reason to change, {LINES_MODULE_MAX} lines"


@pytest.mark.parametrize("path", MODULES, ids=_ids)
def test_public_functions_are_documented(path: Path) -> None:
    """Goal: a caller never needs the body. Method: every public function and class has a docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    bare = [node.name for node in nodes if not node.name.startswith("_") and not ast.get_docstring(node)]
    assert not bare, f"{path}: write docstrings for {', '.join(bare)}"


@pytest.mark.parametrize(
    "path", [path for path in MODULES if _room(path) in MONEY_ROOMS and not str(path).endswith(PROPOSERS)], ids=_ids
)
def test_rooms_of_money_have_no_float(path: Path) -> None:
    """Goal: no balance ever meets a float (design invariant 1). Method: look for float names and literals."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        line = getattr(node, "lineno", 0)
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        assert not literal, f"{path}:{line}: a float literal; use an integer with its scale in the name"
        named = isinstance(node, ast.Name) and node.id == "float"
        assert not named, f"{path}:{line}: float; use int, or Decimal at the edges"


BANNED = {
    r"\bdatetime\.now\(|\btime\.time\(|\btime\.perf_counter\(": (
        "take a Clock from tsingma.basics.clock",
        "basics/clock.py",
    ),
    r"\bimport random\b|\buuid4\(": (
        "take a seeded generator as an argument",
        "simulate/settlement.py",
    ),  # a published stream of Python's own
    r"^\s*print\(": ("print only in cli, through click.echo", ""),
    r"^\s*assert ": ("refuse input with Rejected, report defects with InvariantBroken", ""),
    r"\bTODO\b|\bFIXME\b|raise NotImplementedError": ("finish it or take it out", ""),
    r"except Exception:\s*pass": ("name the error and handle it", ""),
}


@pytest.mark.parametrize("path", MODULES, ids=_ids)
def test_nothing_banned(path: Path) -> None:
    """Goal: no hidden clock, chance, output or leftover. Method: search the text, name the remedy."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for pattern, (remedy, allowed) in BANNED.items():
            if allowed and str(path).endswith(allowed):
                continue
            assert not re.search(pattern, line), f"{path}:{number}: banned: {line.strip()}; {remedy}"


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name]


def test_repository_holds_no_third_party_data_and_no_large_file() -> None:
    """Goal: data rules of the design. Method: every tracked file is small, and none has a data-dump suffix."""
    for path in _tracked():
        if not path.is_file():
            continue
        assert path.stat().st_size < 1_000_000, f"{path}: larger than 1 MB; should it be in the repository?"
        assert path.suffix not in {".gz", ".rda", ".npz", ".parquet", ".sqlite"}, f"{path}: data stays outside"


def test_markdown_links_lead_somewhere() -> None:
    """Goal: no dead link. Method: every relative link of every page names a file of the repository."""
    for page in [path for path in _tracked() if path.suffix == ".md" and path.is_file()]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if not re.match(r"[a-z]+:", target):
                assert (page.parent / target).exists(), f"{page}: link to {target} leads nowhere"


POLARS_PATTERNS = ("app/bulk_intake.py", "messages/trade_columns.py")  # of Rust, whose ``$`` is the end of the text


def test_no_pattern_lets_a_line_feed_follow() -> None:
    """Goal: a code is a code and no more. Method: every text of the source that is anchored at both ends."""
    anchored = re.compile(r"\^.*(?<!\\)\$\)?\Z", re.DOTALL)
    for path in MODULES:
        if str(path.relative_to(SOURCE)) in POLARS_PATTERNS:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
                text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
                assert not anchored.match(text), f"{path}:{node.lineno}: {text!r}: basics.patterns.whole, or fullmatch"
