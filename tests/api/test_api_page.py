"""The page about the interface says what the code does: roles, routes, statuses, and the example of a keys file."""

from __future__ import annotations

import re
from pathlib import Path

from api_house import Served

from tsingma.api.door import ANSWER_SECONDS_MAX
from tsingma.api.keys import read_keys
from tsingma.api.patience import BODY_SECONDS_MAX
from tsingma.api.permissions import PERMISSIONS, Action, Resource, Role, scope_of
from tsingma.api.problems import STATUS_OF
from tsingma.api.tokens import LIFETIME_SECONDS_MAX, SKEW_SECONDS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text(encoding="utf-8")


def _rows(section: str) -> list[list[str]]:
    text = PAGE.partition(f"## {section}\n")[2].partition("\n## ")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]


def test_the_table_of_roles_is_the_permissions() -> None:
    """Goal: one table, read by people and by the guard. Method: every cell of the page; none missing."""
    head, _, *rows = _rows("Who may")
    assert head == ["resource", "action", *(str(role) for role in (Role.OPERATOR, Role.PARTICIPANT, Role.CUSTODIAN,
                                                                  Role.REGULATOR, Role.AUDITOR))]  # fmt: skip
    told = {(Resource(row[0]), Action(row[1])): row[2:] for row in rows}
    assert set(told) == set(PERMISSIONS)
    for access, cells in told.items():
        assert cells == [str(scope_of(Role(role), access)) for role in head[2:]]


def test_the_routes_are_those_of_the_application(shown: Served) -> None:
    """Goal: no route unsaid. Method: methods and paths on the page against the description."""
    told = set(re.findall(r"`((?:GET|POST) /[^`?]*)`", "\n".join(row[0] for row in _rows("Ask"))))
    described = shown.get(None, "/openapi/openapi.json").json()["paths"]
    ours = {f"{method.upper()} {path}" for path, entry in described.items() for method in entry}
    assert told - {"GET /openapi/openapi.json"} == ours


def test_reasons_and_limits_are_those_of_the_code() -> None:
    """Goal: statuses and bounds. Method: the table of reasons, and figures in the text."""
    told = {name: int(code) for row in _rows("Send")[2:] for name, code in (row[:2], row[2:]) if name}
    assert told == {str(reason): int(status) for reason, status in STATUS_OF.items()}
    for figure in (f"({BODY_SECONDS_MAX:.0f} seconds)", f"in {ANSWER_SECONDS_MAX:.0f} seconds",
                   f"{LIFETIME_SECONDS_MAX} seconds of life", f"{SKEW_SECONDS} seconds ahead"):  # fmt: skip
        assert figure in " ".join(PAGE.split()), figure


def test_the_example_of_a_keys_file_is_one(tmp_path: Path) -> None:
    """Goal: what is shown works. Method: the example, read."""
    block = PAGE[PAGE.index("    audience =") :].partition("\n\n##")[0]
    path = tmp_path / "keys.toml"
    path.write_text("\n".join(line[4:] for line in block.splitlines()), encoding="utf-8")
    assert read_keys(path).key[0].participant == "B00001"
