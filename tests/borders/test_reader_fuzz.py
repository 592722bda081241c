"""Spoilt files of every kind: they are read or refused, soon and in bounded memory, and nothing else comes out.

Goal: no sender can make the house fail. Method: valid files of every reader spoilt from a seed (``spoiling.py``). The
suite tries a few hundred files each; the soak each family for ten minutes (``FUZZ_SECONDS`` changes that).
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from reader_seeds import readers
from spoiling import fuzz

ROUNDS = 120
SOAK_SECONDS = 600.0
FAMILIES = ("csv", "jsonl", "mt54x", "rpf01", "span", "toml", "xml")


@pytest.mark.parametrize("name", sorted(readers()))
def test_seeds_are_taken(name: str, tmp_path: Path) -> None:
    """Goal: what is spoilt was good. Method: every seed of every reader."""
    assert readers()[name].family in FAMILIES
    assert readers()[name].seeds
    for seed in readers()[name].seeds:
        readers()[name].read(seed, tmp_path)


@pytest.mark.parametrize("family", FAMILIES)
def test_spoilt_files_are_read_or_refused(family: str, tmp_path: Path) -> None:
    """Goal: no defect. Method: the same spoilt files at every run; most are refused, some are still good."""
    names = [name for name, reader in readers().items() if reader.family == family]
    found = fuzz(names, tmp_path, seed=20_260_105, rounds=ROUNDS)
    assert found.defects == {}
    assert found.refused > found.tried // 4
    assert found.taken > 0


@pytest.mark.soak
@pytest.mark.parametrize("family", FAMILIES)
def test_spoilt_files_for_long(family: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: no defect in ten minutes. Method: as above, from a seed that is printed, until time is up."""
    seconds = float(os.environ.get("FUZZ_SECONDS", SOAK_SECONDS))
    seed = int(os.environ.get("FUZZ_SEED", "1"))
    names = [name for name, reader in readers().items() if reader.family == family]
    found = fuzz(names, tmp_path, seed, seconds=seconds)
    with capsys.disabled():
        print(f"{family}: {found.tried} files in {seconds:.0f} s, seed {seed}: {found.refused} refused, "
              f"{found.taken} taken, slowest {found.slowest_seconds:.2f} s")  # fmt: skip
    assert found.defects == {}
