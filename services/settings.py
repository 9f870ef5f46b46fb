"""The one frozen Settings, read once from `HWLINK_*` variables. URL schemes pick adapters; unknown variables are refused."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.errors import PolicyError, Reason, StateError

PREFIX = "HWLINK_"


class Settings(BaseSettings):
    """Every setting of every role. `data_dir` is where the embedded defaults keep bus, registry and lake."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)

    data_dir: Path = Path("hwlink-data")
    bus_url: str = ""
    registry_url: str = ""
    lake_url: str = ""
    ingest_address: str = "127.0.0.1:7401"
    query_address: str = "127.0.0.1:7402"
    agreements: tuple[Path, ...] = ()
    accept_test_agreement: bool = False
    model_path: Path | None = None
    shards: Annotated[int, Field(ge=1, le=64)] = 1
    withdrawal_limit_share: Annotated[float, Field(gt=0, le=1)] = 0.2
    as_of: str = ""
    log_level: str = "INFO"

    @model_validator(mode="after")
    def _fill_embedded_defaults(self) -> Self:
        root = self.data_dir.absolute()
        defaults = {
            "bus_url": f"sqlite:///{root / 'bus.db'}",
            "registry_url": f"sqlite:///{root / 'registry.db'}",
            "lake_url": f"file://{root / 'lake'}",
        }
        for name, value in defaults.items():
            if not getattr(self, name):
                object.__setattr__(self, name, value)
        return self


def read_settings(environ: Mapping[str, str], **overrides: object) -> Settings:
    """Read settings from `environ` and `overrides`; StateError SETTING_INVALID names what is wrong, never its value."""
    unknown = sorted(
        name
        for name in environ
        if name.startswith(PREFIX) and name.removeprefix(PREFIX).lower() not in Settings.model_fields
    )
    if unknown:
        raise StateError(
            Reason.SETTING_INVALID,
            f"Unknown setting {', '.join(unknown)}; `hwlink config` lists the names there are.",
        )
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        fields = sorted({".".join(str(part) for part in e["loc"]) for e in error.errors(include_input=False)})
        raise StateError(
            Reason.SETTING_INVALID, f"Setting not usable: {', '.join(fields)}; `hwlink config` shows what each takes."
        ) from None
    for address in (settings.ingest_address, settings.query_address):
        _refuse_unsafe(address)
    return settings


def _refuse_unsafe(address: str) -> None:
    host = address.rpartition(":")[0].strip("[]")
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback:
        raise PolicyError(
            Reason.UNSAFE_CONFIGURATION,
            "An address beyond loopback needs TLS and client identities, which are not configured; use 127.0.0.1.",
        )
