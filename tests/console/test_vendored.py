"""Goal: the files of others are those their table names. Method: hash every file beside the table."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import tsingma.console

FOLDER = Path(tsingma.console.__file__).parent / "assets" / "vendored"


def test_every_vendored_file_has_the_hash_its_table_says() -> None:
    """Goal: nothing was changed, added or left out. Method: table against folder, licences aside."""
    table = re.findall(r"^\| (\S+\.\S+) \|.*\| ([0-9a-f]{64}) \|$", (FOLDER / "VENDORED.md").read_text("utf-8"), re.M)
    shipped = {
        one.name: hashlib.sha256(one.read_bytes()).hexdigest()
        for one in FOLDER.iterdir()
        if one.suffix in (".js", ".css")
    }
    assert table
    assert dict(table) == shipped
