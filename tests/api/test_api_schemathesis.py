"""The whole interface against its own description, by schemathesis: for every role, near and far from what is right.

Every operation of the description is asked in process with drawn parameters and bodies and a valid token of every role.
No answer may be a 5xx, and each must be what the description says: status, content type, schema.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("schemathesis")

import jsonschema_rs
import schemathesis
from api_house import Served
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    status_code_conformance,
)
from test_api_permissions import names_of

from tsingma.api.permissions import Role

DESCRIPTION = json.loads(Path(__file__).with_name("openapi.json").read_text(encoding="utf-8"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]
CONFIG = schemathesis.Config()
SCHEMA = schemathesis.openapi.from_dict(DESCRIPTION, config=CONFIG)
OPERATIONS = {
    f"{method.upper()} {path}": SCHEMA[path][method.upper()]
    for path, methods in sorted(DESCRIPTION["paths"].items())
    for method in sorted(methods)
}


@cache
def _validator(name: str, status: str) -> jsonschema_rs.Draft202012Validator | None:
    """Return what a body must be; schemathesis's own check does not know tuples of JSON Schema 2020-12."""
    method, _, path = name.partition(" ")
    content = DESCRIPTION["paths"][path][method.lower()]["responses"][status].get("content", {})
    found = [kind["schema"] for media, kind in content.items() if "json" in media]
    return jsonschema_rs.Draft202012Validator({**found[0], "components": DESCRIPTION["components"]}) if found else None


def _ask(house: Served, role: Role, case: Any) -> None:
    """Send a case with a new token of a role, and hold the answer against the description."""
    sent = case.as_transport_kwargs(base_url="http://testserver")
    headers = dict((sent.pop("headers", None) or {}).items())
    headers["Authorization"] = f"Bearer {house.token(str(role))}"
    if isinstance(sent.get("data"), str | bytes):
        sent["content"] = sent.pop("data")
    if case.path == "/events":
        sent["params"] = {**(sent.get("params") or {}), "follow": "false"}
    answer = house.client.request(headers=headers, **{name: value for name, value in sent.items() if name != "cookies"})
    case.validate_response(schemathesis.Response.from_httpx(answer, verify=False), checks=CHECKS)
    if "json" in answer.headers.get("content-type", ""):
        validator = _validator(f"{case.method} {case.path}", str(answer.status_code))
        assert validator is not None, answer.text
        for error in validator.iter_errors(answer.json()):
            raise AssertionError(f"{case.method} {sent.get('url')}: {error.message} at {error.instance_path}")


def _near(house: Served, role: Role, case: Any) -> Any:
    """Return the case with an object of the house in its path, where it names any: drawn numbers meet none."""
    names = names_of(house, role, "own")
    found = {
        name: names[name] if name in ("job", "participant") else str(int(str(value).lstrip("-")[:8] or 0) % 9)
        for name, value in case.path_parameters.items()
        if name in names and (name in ("job", "participant") or str(value).lstrip("-").isdigit())
    }
    case.path_parameters = {**case.path_parameters, **found}
    return case


def _try(house: Served, name: str, role: Role, examples: int, mode: GenerationMode) -> None:
    @settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=OPERATIONS[name].as_strategy(generation_mode=mode), near=st.booleans())
    def run(case: Any, near: bool) -> None:
        _ask(house, role, _near(house, role, case) if near else case)

    run()


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("name", list(OPERATIONS))
def test_every_answer_is_as_described(house_of_cases: Served, name: str, role: Role) -> None:
    """Goal: no 5xx, no answer that is not described. Method: a few drawn requests an operation and role, fixed seed."""
    _try(house_of_cases, name, role, 4, GenerationMode.POSITIVE)
    if OPERATIONS[name].body or OPERATIONS[name].query:
        _try(house_of_cases, name, role, 3, GenerationMode.NEGATIVE)


@pytest.mark.soak
@pytest.mark.parametrize("name", list(OPERATIONS))
def test_every_answer_is_as_described_for_long(house_of_cases: Served, name: str) -> None:
    """Goal: as above. Method: many requests an operation, as participant and operator."""
    for role in (Role.PARTICIPANT, Role.OPERATOR):
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            _try(house_of_cases, name, role, 100, mode)
