"""Statements as files: named, safe to open, the same bytes for the same record, and only one's own."""

from __future__ import annotations

import io
import zipfile

import pytest
from console_house import Served


def test_a_settlement_statement_as_csv_is_a_zip_of_tables(console: Served) -> None:
    """Goal: every table is a file. Method: open the archive, compare two answers of one record byte for byte."""
    path = "/console/statements/A/settlement/csv"
    first, second = console.get("participant", path), console.get("participant", path)
    assert first.content == second.content
    assert first.headers["content-disposition"] == 'attachment; filename="A-settlement-csv.zip"'
    with zipfile.ZipFile(io.BytesIO(first.content)) as folder:
        assert len(folder.namelist()) > 1
        assert all(name.startswith("A-settlement-") and name.endswith(".csv") for name in folder.namelist())
        assert "B/HOUSE" in "".join(folder.read(name).decode() for name in folder.namelist())


@pytest.mark.parametrize(("form", "start"), [("html", b"<!DOCTYPE html>"), ("xlsx", b"PK"), ("pdf", b"%PDF")])
def test_files_in_every_form_and_both_languages(console: Served, form: str, start: bytes) -> None:
    """Goal: the form that was asked for, shut in when opened. Method: first bytes, headers, the language."""
    pytest.importorskip({"xlsx": "openpyxl", "pdf": "typst"}.get(form, "litestar"))
    for language in ("en", "zh-Hant"):
        answer = console.get("operator", f"/console/statements/B/holdings/{form}?lang={language}")
        if answer.status_code == 422 and "font" in answer.text:
            pytest.skip("no Chinese font on this machine")
        assert answer.status_code == 200, answer.text
        assert answer.content.startswith(start)
        assert "attachment" in answer.headers["content-disposition"]
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        if form == "html":
            assert (b'lang="en"' in answer.content) == (language == "en")
    console.client.cookies.clear()


def test_what_there_is_not_is_not_found(console: Served) -> None:
    """Goal: no file of strangers or of nothing. Method: unknown participants, forms, kinds; others'."""
    for path, who, status in (
        ("NOBODY/holdings/csv", "operator", 404), ("A/holdings/exe", "operator", 400),
        ("A/secrets/csv", "operator", 404), ("B/holdings/csv", "participant", 403),
        ("C/margin/csv", "custodian", 403), ("..%2fA/holdings/csv", "operator", 404),
    ):  # fmt: skip
        assert console.get(who, f"/console/statements/{path}").status_code == status, path
    assert "XLSX" not in console.get("operator", "/console/statements?participant=NOBODY").text
    custodian = console.get("custodian", "/console/statements").text
    assert "/console/statements/C/holdings/pdf" in custodian
    assert "/console/statements/C/margin" not in custodian
