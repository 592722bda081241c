"""``tsingma economy replicate`` for the value chain: every figure the published tables have.

Goal: exit code 0, all figures within tolerance, the whole table in JSON; a missing folder is refused. Method: run it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tsingma.cli.main import EXIT_OK, EXIT_REFUSED, main


@pytest.mark.parametrize(
    ("paper", "checked", "figures"), [("cp2015", 15, 1398), ("decompr", 6, 198), ("exvatools", 67, 85)]
)
def test_published_tables(
    paper: str, checked: int, figures: int, shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Goal: what the papers print, agreed. Method: JSON, then to read."""
    asked = ["economy", "replicate", paper, "--data", str(shared / "data/econ")]
    assert main([*asked, "--json"]) == EXIT_OK
    found = json.loads(capsys.readouterr().out)
    assert (found["checked"], len(found["figures"]), found["agrees"]) == (checked, figures, True)
    assert main(asked) == EXIT_OK
    assert f"{checked} printed figures" in capsys.readouterr().out


def test_a_folder_without_the_files_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: the missing file is named. Method: an empty folder."""
    assert main(["economy", "replicate", "cp2015", "--data", str(tmp_path)]) == EXIT_REFUSED
    assert "B.txt: cannot be read" in capsys.readouterr().err
