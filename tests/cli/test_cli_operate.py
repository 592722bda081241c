"""What an operator installs from: the unit, the image file, the lock cut for it, and the list of software.

Goal: the files say what they should and work. Method: systemd's own checker where it is; the image file parsed; every
import of what serves looked for in the lock; the list compared with the lock, package by package.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tsingma.app.serve_config import read_config

ROOT = Path(__file__).resolve().parents[2]
OPERATE = ROOT / "docs" / "operate"
EXPOSURE_MAX = 2.0  # of systemd's 10 ("unsafe"); what is open is listed by systemd-analyze security
NOT_SERVED = {"ray", "SALib", "apsw"}  # a cluster, sensitivity of models, the simulated disk


def software(what: str) -> str:
    """Return what the script prints."""
    command = [sys.executable, str(OPERATE / "software.py"), what]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def locked(text: str) -> dict[str, set[str]]:
    """Return versions by package of a lock."""
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==([^ ;\\\n]+)", text, re.MULTILINE):
        found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), set()).add(version)
    return found


@pytest.fixture(scope="module")
def lock() -> str:
    """The lock of an installation that serves."""
    return software("lock")


def test_the_lock_has_all_that_serving_imports(lock: str) -> None:
    """Goal: nothing is missing on the machine. Method: third-party imports of the package against the lock."""
    imported = set()
    for path in (ROOT / "src" / "tsingma").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {one.name.partition(".")[0] for one in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.partition(".")[0])
    owners = packages_distributions()
    third = imported - set(sys.stdlib_module_names) - {"tsingma"} - NOT_SERVED
    missing = {name for name in third if not {re.sub(r"[-_.]+", "-", one).lower() for one in owners.get(name, [name])}
               & set(locked(lock))}  # fmt: skip
    assert not missing
    whole = locked((ROOT / "requirements-dev.lock").read_text(encoding="utf-8"))
    assert all(versions <= whole[name] for name, versions in locked(lock).items())
    assert all("--hash=sha256:" in block for block in re.split(r"\n(?=[A-Za-z0-9])", lock.strip()))
    assert not {"pytest", "ruff", "mypy", "hypothesis"} & set(locked(lock))


def test_the_list_of_software_has_every_locked_package(lock: str) -> None:
    """Goal: a whole SBOM. Method: against the lock: name, version, hashes; licences of what is installed."""
    pytest.importorskip("cyclonedx_py")
    document = json.loads(software("sbom"))
    assert document["bomFormat"] == "CycloneDX"
    listed: dict[str, set[str]] = {}
    for one in document["components"]:
        listed.setdefault(one["name"], set()).add(one["version"])
        hashes = [entry["content"] for place in one["externalReferences"] for entry in place["hashes"]]
        assert hashes
        assert all(re.fullmatch("[0-9a-f]{64}", entry) and entry in lock for entry in hashes)
        assert one["purl"] == f"pkg:pypi/{one['name']}@{one['version']}"
        assert one["licenses"][0]["license"]["name"]
    assert listed == locked(lock)
    unstated = [one["name"] for one in document["components"] if one["licenses"][0]["license"]["name"] == "not stated"]
    assert set(unstated) <= {"colorama", "faker", "polyfactory", "rich-click", "sniffio"}, unstated  # other platforms


def test_the_unit_is_one_and_is_closed(tmp_path: Path) -> None:
    """Goal: systemd takes it, and it may do little. Method: verified with a program that is there; exposure."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on this machine")
    text = (OPERATE / "tsingma.service").read_text(encoding="utf-8")
    unit = tmp_path / "tsingma.service"
    unit.write_text(text.replace("/opt/tsingma/bin/tsingma", "/bin/true"), encoding="utf-8")
    checked = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    asked = ["systemd-analyze", "security", "--offline=yes", str(unit)]
    told = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told)
    assert exposure is not None
    assert float(exposure.group(1)) <= EXPOSURE_MAX
    for line in re.findall(r"^Exec\w+=(?:\S+/)?tsingma (.*)$", text, re.MULTILINE):
        assert line.split()[0] == "serve"


def test_the_image_file_uses_what_there_is() -> None:
    """Goal: no stale path in it. Method: parsed: known instructions, copied paths there, not root, exec forms."""
    text = re.sub(r"\\\n", " ", (OPERATE / "Containerfile").read_text(encoding="utf-8"))
    steps = [line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#")]
    known = {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in steps} <= known
    for name, rest in steps:
        if name == "COPY" and not rest.startswith("--from"):
            assert all((ROOT / source).exists() for source in rest.split()[:-1]), rest
        if name in ("ENTRYPOINT", "CMD"):
            assert isinstance(json.loads(rest), list)
    assert [rest for name, rest in steps if name == "USER"] == ["10001"]
    run = " ".join(rest for name, rest in steps if name == "RUN")
    assert "--require-hashes" in run
    assert "software.py lock" in run
    (health,) = (rest for name, rest in steps if name == "HEALTHCHECK")
    (port,) = re.findall(r"http://127\.0\.0\.1:([0-9]+)/metrics", health)
    assert f"TSINGMA_METRICS_PORT={port}" in text, "the interface may speak TLS only, on any port"


def test_the_configuration_of_the_page_is_one(tmp_path: Path) -> None:
    """Goal: what is shown works. Method: the example of the page, read and checked."""
    page = (OPERATE / "README.md").read_text(encoding="utf-8")
    block = page[page.index("    [house]") :].partition("\n\n")[0]
    file = tmp_path / "tsingma.toml"
    file.write_text("\n".join(line[4:] for line in block.splitlines()), encoding="utf-8")
    settings = read_config(file, {}).settings
    assert (settings.listen.port, settings.metrics.port, settings.house.place) == (8443, 9464, "/var/lib/tsingma/house")
    assert settings.keys.file == str(tmp_path / "keys.toml")
