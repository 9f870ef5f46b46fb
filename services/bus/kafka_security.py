"""How to reach a Kafka broker safely: one TOML file of settings, secrets in files of their own beside it.

    [tls]
    ca_file = "ca.pem"
    certificate_file = "ingest.pem"   # only where the broker asks clients for one
    key_file = "ingest.key"

    [sasl]
    mechanism = "SCRAM-SHA-512"
    username = "hwlink-ingest"
    password_file = "ingest.password"

Paths are relative to the file. Unknown keys are refused; nothing of the file is ever printed.
"""

from __future__ import annotations

import ipaddress
import ssl
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from schemas.errors import PolicyError, Reason, StateError
from services.bus.kafka_sockets import HandshakeSocket

_STRICT: Final = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Tls(BaseModel):
    """Whom to trust, and who we are where the broker asks."""

    model_config = _STRICT

    ca_file: Path
    certificate_file: Path | None = None
    key_file: Path | None = None

    @model_validator(mode="after")
    def _both_or_none(self) -> Tls:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file belong together")
        return self


class Sasl(BaseModel):
    """Who we are by name and password."""

    model_config = _STRICT

    mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"]
    username: str
    password_file: Path


class Security(BaseModel):
    """What the file holds. `plain_text` allows a network without TLS: only where nobody else is on it."""

    model_config = _STRICT

    tls: Tls | None = None
    sasl: Sasl | None = None
    plain_text: bool = False


def client_options(path: Path | None, servers: Sequence[str]) -> dict[str, Any]:
    """Return the security options of every Kafka client; without a file, those of a broker on this machine.

    Raises StateError SETTING_INVALID when the file or one that it names cannot be read, has unknown keys or values, and
    PolicyError UNSAFE_CONFIGURATION when others may read a secret or records would cross a network in clear.
    """
    security = Security() if path is None else _read(path)
    if security.tls is None and not security.plain_text and not all(map(_on_this_machine, servers)):
        raise PolicyError(
            Reason.UNSAFE_CONFIGURATION,
            "A broker on another machine needs TLS; name a file with a [tls] table by HWLINK_KAFKA_SECURITY_PATH.",
        )
    folder = Path() if path is None else path.parent
    options: dict[str, Any] = {
        "security_protocol": ("SASL_" if security.sasl else "") + ("SSL" if security.tls else "PLAINTEXT")
    }
    if security.tls:
        options["ssl_context"] = _context(security.tls, folder)
    if security.sasl:
        options |= {
            "sasl_mechanism": security.sasl.mechanism,
            "sasl_plain_username": security.sasl.username,
            "sasl_plain_password": _secret(folder / security.sasl.password_file),
        }
    return options


def _read(path: Path) -> Security:
    try:
        return Security.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        wrong = "it cannot be read as TOML"
    except ValidationError as error:
        places = {".".join(map(str, e["loc"])) or "tls" for e in error.errors(include_input=False, include_url=False)}
        wrong = f"not usable: {', '.join(sorted(places))}"
    raise StateError(
        Reason.SETTING_INVALID,
        f"The Kafka security file {path.name}: {wrong}; it takes [tls] ca_file, certificate_file, key_file, "
        "[sasl] mechanism, username, password_file, and plain_text.",
    )


def _context(tls: Tls, folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks host names and certificates
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = HandshakeSocket
    try:
        context.load_verify_locations(folder / tls.ca_file)
        if tls.certificate_file is not None and tls.key_file is not None:
            _refuse_readable(folder / tls.key_file)
            context.load_cert_chain(folder / tls.certificate_file, folder / tls.key_file, password="")
    except (OSError, ssl.SSLError):
        raise StateError(
            Reason.SETTING_INVALID,
            "A certificate or key of the Kafka security file cannot be read; give PEM files, the key without password.",
        ) from None
    return context


def _secret(path: Path) -> str:
    try:
        _refuse_readable(path)
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise StateError(
            Reason.SETTING_INVALID,
            f"The password file {path.name} of the Kafka settings cannot be read; check its place and permissions.",
        ) from None


def _refuse_readable(path: Path) -> None:
    if path.stat().st_mode & 0o077:
        raise PolicyError(
            Reason.UNSAFE_CONFIGURATION,
            f"The secret {path.name} can be read by others; take their rights away (chmod 600).",
        )


def _on_this_machine(server: str) -> bool:
    host = server.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
