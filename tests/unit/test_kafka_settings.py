"""What may name a broker and how it is reached: refused before anything connects, and never quoted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.errors import HwlinkError, InputError, PolicyError, Reason, StateError
from services.bus.kafka import parse_url
from services.bus.kafka_security import client_options

HERE = ["127.0.0.1:9092"]
AWAY = ["kafka.example.org:9093"]
SECRET = "CANARY-not-to-be-seen"


def test_urls_name_servers_and_a_namespace() -> None:
    assert parse_url("kafka://localhost:9092") == (["localhost:9092"], "")
    assert parse_url("kafka://a.b:1,[::1]:2/medway-1") == (["a.b:1", "[::1]:2"], "medway-1")


@pytest.mark.parametrize(
    "url",
    [
        "kafka://",
        "kafka://host",
        "kafka://host:1,",
        f"kafka://user:{SECRET}@host:1",
        "kafka://host:1/a/b",
        "kafka://host:1/a.b",
        "kafka://host:1/a?b=c",
        "kafkas://host:1",
        "kafka://host:port",
    ],
)
def test_other_urls_are_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_url(url)
    assert caught.value.reason is Reason.OPTION_INVALID
    assert SECRET not in caught.value.message


def secret(path: Path, text: str = SECRET, mode: int = 0o600) -> Path:
    path.write_text(text + "\n")
    path.chmod(mode)
    return path


def security(folder: Path, text: str) -> Path:
    secret(folder / "password")
    path = folder / "kafka.toml"
    path.write_text(text)
    return path


SASL = '[sasl]\nmechanism = "SCRAM-SHA-512"\nusername = "hwlink-ingest"\npassword_file = "password"\n'


def test_a_broker_on_this_machine_needs_nothing() -> None:
    assert client_options(None, [*HERE, "localhost:1", "[::1]:1"]) == {"security_protocol": "PLAINTEXT"}


def test_a_broker_elsewhere_needs_tls_or_a_word_that_the_network_is_ones_own(tmp_path: Path) -> None:
    for path in (None, security(tmp_path, SASL)):
        with pytest.raises(PolicyError) as caught:
            client_options(path, [*HERE, *AWAY])
        assert caught.value.reason is Reason.UNSAFE_CONFIGURATION
    options = client_options(security(tmp_path, "plain_text = true\n" + SASL), AWAY)
    assert options == {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "hwlink-ingest",
        "sasl_plain_password": SECRET,
    }


def _readable(folder: Path) -> None:
    secret(folder / "password", mode=0o640)


def _missing(folder: Path) -> None:
    (folder / "password").unlink()


@pytest.mark.parametrize(
    ("text", "spoil", "reason"),
    [
        ("no toml", lambda _: None, Reason.SETTING_INVALID),
        (f'password = "{SECRET}"', lambda _: None, Reason.SETTING_INVALID),
        (SASL + f'password = "{SECRET}"', lambda _: None, Reason.SETTING_INVALID),
        (SASL.replace("SCRAM-SHA-512", SECRET), lambda _: None, Reason.SETTING_INVALID),
        (SASL, _missing, Reason.SETTING_INVALID),
        (SASL, _readable, Reason.UNSAFE_CONFIGURATION),
        ('[tls]\nca_file = "password"', lambda _: None, Reason.SETTING_INVALID),
        ('[tls]\nca_file = "absent"', lambda _: None, Reason.SETTING_INVALID),
        ('[tls]\nca_file = "password"\nkey_file = "password"', lambda _: None, Reason.SETTING_INVALID),
    ],
    ids=["no toml", "password inside", "unknown key", "mechanism", "absent", "readable", "no PEM", "no CA", "half"],
)
def test_a_file_that_cannot_be_used_is_refused_without_its_content(
    tmp_path: Path, text: str, spoil: Callable[[Path], None], reason: Reason
) -> None:
    path = security(tmp_path, text)
    spoil(tmp_path)
    with pytest.raises(HwlinkError) as caught:
        client_options(path, HERE)
    assert caught.value.reason is reason
    assert SECRET not in caught.value.message
    assert isinstance(caught.value, StateError | PolicyError)


def test_an_absent_file_is_a_setting_to_mend(tmp_path: Path) -> None:
    with pytest.raises(StateError) as caught:
        client_options(tmp_path / "absent.toml", HERE)
    assert caught.value.reason is Reason.SETTING_INVALID
