"""Client certificates: a key that is bound to one is good over its connections alone; bad certificates end theirs."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from api_house import Served, keys_of, served
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from test_api_server import _free_port

from tsingma.api.certificates import certificate_of
from tsingma.api.permissions import Role
from tsingma.api.trying import new_key, new_token
from tsingma.basics.clock import SystemClock
from tsingma.cli.main import main

WAIT_SECONDS = 60
REFUSED = (httpx.TransportError, ssl.SSLError)


class Authority:
    """Signs certificates for the tests."""

    def __init__(self, name: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._signed(self.name, self.key.public_key(), None, 0, 3)

    def _signed(self, name: x509.Name, key: Any, usage: Any, days_from: int, days_to: int) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder().subject_name(name).issuer_name(self.name).public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=days_from, minutes=-5))
            .not_valid_after(now + timedelta(days=days_to))
            .add_extension(x509.BasicConstraints(ca=usage is None, path_length=None), critical=True)
        )  # fmt: skip
        if usage is None:
            builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        else:
            names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, folder: Path, name: str, usage: Any, days_from: int = 0, days_to: int = 1) -> tuple[Path, Path]:
        """Write a certificate and its key; returns both files."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = self._signed(subject, key.public_key(), usage, days_from, days_to)
        files = folder / f"{name}.pem", folder / f"{name}.key"
        files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return files


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a PEM certificate's DER form, as ``openssl x509 -fingerprint -sha256`` does."""
    made = x509.load_pem_x509_certificate(path.read_bytes())
    return hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).hexdigest()


class Running(msgspec.Struct):
    """A served house over TLS, and the files that clients have."""

    url: str
    folder: Path

    def get(self, key: str, certificate: str = "") -> int:
        """Read the day with a token of a key, over a connection that shows a certificate; returns the status."""
        context = ssl.create_default_context(cafile=str(self.folder / "ca.pem"))
        if certificate:
            context.load_cert_chain(self.folder / f"{certificate}.pem", self.folder / f"{certificate}.key")
        token = new_token(self.folder / "keys.toml", self.folder / f"{key}.json", 60, SystemClock())
        with httpx.Client(verify=context, timeout=30) as client:
            return client.get(f"{self.url}/day", headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.fixture(scope="module")
def running(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A house served by its command over TLS that asks clients for certificates; bound and free are auditors' keys."""
    import shutil

    folder = tmp_path_factory.mktemp("tls")
    house = Path(shutil.copytree(written, folder / "house"))
    ours, others = Authority("ours"), Authority("others")
    client, server = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH
    (folder / "ca.pem").write_bytes(ours.certificate.public_bytes(serialization.Encoding.PEM))
    certificate, private = ours.issue(folder, "server", server)
    right, _ = ours.issue(folder, "right", client)
    ours.issue(folder, "wrong", client)
    ours.issue(folder, "expired", client, -3, -1)
    ours.issue(folder, "early", client, 1, 2)
    ours.issue(folder, "no-client", server)
    others.issue(folder, "stranger", client)
    keys = folder / "keys.toml"
    for name in ("free", "bound"):
        new_key(keys, folder / f"{name}.json", name, Role.AUDITOR, "", SystemClock())
    keys.write_text(f'{keys.read_text()}certificate = "{fingerprint(right)}"\n')
    port = _free_port()
    command = [sys.executable, "-m", "tsingma.cli.main", "serve", "--house", str(house), "--keys", str(keys),
               "--port", str(port), "--tls-certificate", str(certificate), "--tls-key", str(private),
               "--tls-client-ca", str(folder / "ca.pem")]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        found = Running(f"https://127.0.0.1:{port}", folder)
        until = time.monotonic() + WAIT_SECONDS
        while True:
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            try:
                if found.get("free") == 200:
                    break
            except httpx.TransportError:
                pass
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.2)
        yield found
    finally:
        process.kill()
        process.communicate()


def test_a_bound_key_is_good_over_its_certificate_alone(running: Running) -> None:
    """Goal: a stolen key is not enough. Method: the right certificate, another of the same authority, none."""
    assert running.get("bound", "right") == 200
    assert running.get("bound", "wrong") == 401
    assert running.get("bound") == 401
    assert running.get("free") == 200
    assert running.get("free", "wrong") == 200


@pytest.mark.parametrize("certificate", ["expired", "early", "stranger", "no-client"])
def test_bad_certificates_end_the_connection(running: Running, certificate: str) -> None:
    """Goal: TLS refuses them. Method: out of time, of another authority, not for clients; with either key."""
    for key in ("bound", "free"):
        with pytest.raises(REFUSED):
            running.get(key, certificate)


def test_the_fingerprint_comes_from_the_connection_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal: no header stands for a certificate. Method: a bound key without TLS, with headers that proxies use."""

    def bound(private: dict[str, dict[str, str]], owner: str = "A") -> Any:
        keys = keys_of(private, owner)
        return msgspec.structs.replace(
            keys, key=tuple(msgspec.structs.replace(key, certificate="ab" * 32) for key in keys.key)
        )

    monkeypatch.setattr("api_house.keys_of", bound)
    with served(folder) as house:
        _refused(house)
    assert certificate_of({"extensions": {"tls": {"client_cert_sha256": "ab"}}}) == "ab"
    for scope in ({}, {"extensions": None}, {"extensions": {"tls": None}}, {"headers": [(b"x", b"y")]}):
        assert certificate_of(scope) == ""


def _refused(house: Served) -> None:
    for headers in ({}, {"X-Client-Cert-Sha256": "ab" * 32}, {"Client-Cert": "ab" * 32}):
        answer = house.get("auditor", "/day", headers=headers)
        assert answer.status_code == 401
        assert "certificate" in answer.json()["detail"]
    order = house.post("participant", "/instructions", [], "k")
    assert order.status_code == 401


def test_bound_keys_need_an_authority(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Goal: a binding that nobody checks is refused at the start. Method: a bound key, no --tls-client-ca; CA alone."""
    keys = tmp_path / "keys.toml"
    new_key(keys, tmp_path / "a.json", "a", Role.AUDITOR, "", SystemClock())
    keys.write_text(f'{keys.read_text()}certificate = "{"ab" * 32}"\n')
    place = ["serve", "--house", str(folder), "--keys", str(keys)]
    assert main(place) == 2
    assert "--tls-client-ca" in capsys.readouterr().err
    assert main([*place, "--tls-client-ca", str(keys)]) == 2
    assert "tls.certificate" in capsys.readouterr().err
    keys.write_text(keys.read_text().replace("ab" * 32, "AB" * 32))
    assert main(place) == 2
