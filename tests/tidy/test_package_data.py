"""What a wheel must hold besides modules: schema steps, dated tables, the mark that types are there.

Goal: an installed house finds everything a checkout has. Method: the build takes the whole package folder but for what
version control ignores, so every other file under it must be tracked and not ignored, and no rule may leave one out.
"""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "tsingma"
LEAVES_OUT = {"exclude", "only-include", "only-packages", "ignore-vcs", "sources"}


def data_files() -> set[str]:
    """Return every file of the package that is no module, as git names it."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc", ".nbi", ".nbc")
    }


def git(*arguments: str, names: set[str]) -> set[str]:
    """Return which of the names git lists."""
    text = "\0".join(sorted(names))
    done = subprocess.run(["git", *arguments], cwd=ROOT, input=text, capture_output=True, check=False, text=True)
    if done.returncode not in (0, 1):
        pytest.skip(f"not a git checkout: {done.stderr}")
    return set(filter(None, done.stdout.split("\0")))


def test_the_build_takes_the_whole_package() -> None:
    """Goal: no rule leaves a file out. Method: read the build's settings."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert settings["build-system"]["build-backend"] == "hatchling.build"
    build = settings["tool"]["hatch"]["build"]
    assert build["targets"]["wheel"]["packages"] == ["src/tsingma"]
    assert not LEAVES_OUT & (set(build) | set(build["targets"]["wheel"]))


def test_every_data_file_is_in_the_wheel() -> None:
    """Goal: schema steps, tables and the mark of types are packed. Method: tracked, and ignored by no rule."""
    files = data_files()
    assert PACKAGE.joinpath("py.typed").is_file()
    assert {Path(name).suffix for name in files} >= {".sql", ".toml", ".csv"}
    assert not git("check-ignore", "--no-index", "-z", "--stdin", names=files), "ignored, so left out of the wheel"
    assert files <= git("ls-files", "-z", names=set()), "not tracked: add it, or move it out of the package"
