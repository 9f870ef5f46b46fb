"""What every stage works on: made once a run, with hwlink's own commands, and never changed by a stage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from linkage.encode import ProjectKeys
from schemas.agreement import Agreement, shipped_agreement
from services.bootstrap import open_bus
from services.bus import Bus
from services.cli.demo.commands import Commands
from services.cli.demo.run import AS_OF
from services.pseudonymise import read_key_file
from services.settings import Settings, read_settings

SOURCES = ("kmpt.gp", "medway.shbe")
"""Of the two files that stages are timed on, a health and a welfare file of one population."""

FEEDS = ("health", "welfare")
NAMES_AND_PLACES = ("record_id", "forename", "middle_names", "surname", "date_of_birth", "postcode", "address")
"""What the aim for pseudonymising is stated for: names, date of birth, postcode and address."""

NAMES_TIMES = 4
"""The file of names holds so many times the people: at Medway's size starting a second process no longer hides what it
does.
"""


@dataclass(frozen=True)
class Inputs:
    """A folder of inputs: clear files, the key, pseudonymised files, a model fitted to them."""

    root: Path

    @property
    def names(self) -> Path:
        """A clear file of more people with names, date of birth, postcode and address only."""
        return self.root / "names.parquet"

    @property
    def model(self) -> Path:
        """The match model, fitted to the two files as the demo does."""
        return self.root / "model.json"

    @property
    def agreement(self) -> Agreement:
        """The agreement under which everything is encoded."""
        return shipped_agreement("test")

    @property
    def keys(self) -> ProjectKeys:
        """The controllers' keys."""
        return ProjectKeys(read_key_file(self.root / "project.key"), self.agreement.key_epoch)

    def clear(self, feed: str) -> Path:
        """Return a feed's clear file."""
        return self.root / "people" / f"{feed}.parquet"

    def encoded(self, feed: str) -> Path:
        """Return a feed's pseudonymised file."""
        return self.root / f"{feed}.parquet"

    def rows(self) -> int:
        """Return how many subjects the two feeds hold together."""
        return sum(int(pl.scan_parquet(self.encoded(f)).select(pl.len()).collect().item()) for f in FEEDS)

    def environ(self, state: Path, **addresses: str) -> dict[str, str]:
        """Return the HWLINK_* variables of services that keep their data in `state`."""
        return {
            "HWLINK_DATA_DIR": str(state),
            "HWLINK_ACCEPT_TEST_AGREEMENT": "true",
            "HWLINK_AS_OF": AS_OF,
            "HWLINK_MODEL_PATH": str(self.model),
            "HWLINK_GEOGRAPHY_PATH": str(self.root / "people" / "geography.csv"),
            **{f"HWLINK_{role.upper()}_ADDRESS": address for role, address in addresses.items()},
        }

    def settings(self, state: Path) -> Settings:
        """Return the settings of roles that keep their data in `state`."""
        return read_settings(self.environ(state))

    def bus(self, state: Path) -> Bus:
        """Open the bus in `state`."""
        return open_bus(self.settings(state))


def make_inputs(root: Path, people: int, claims: int, seed: int) -> Inputs:
    """Synthesise, pseudonymise and fit under `root`."""
    made = Inputs(root)
    commands = Commands({}, quiet=True)
    commands.run("synthesise", root / "people", "--people", str(people), "--claims", str(claims), "--seed", str(seed))
    commands.run("keys", "new", root / "project.key")
    for source, feed in zip(SOURCES, FEEDS, strict=True):
        options = ("--agreement", "test", "--key-file", root / "project.key", "--source", source, "--feed", feed)
        commands.run("pseudonymise", *options, made.clear(feed), made.encoded(feed))
    files = [made.encoded(feed) for feed in FEEDS]
    commands.run("model", "fit", *files, "--unique", "left", "--out", made.model)
    return made


def make_names(made: Inputs, people: int, claims: int, seed: int) -> None:
    """Synthesise the larger file of names."""
    commands, folder = Commands({}, quiet=True), made.root / "more-people"
    size = ("--people", str(NAMES_TIMES * people), "--claims", str(claims))
    commands.run("synthesise", folder, *size, "--seed", str(seed))
    pl.scan_parquet(folder / "health.parquet").select(NAMES_AND_PLACES).sink_parquet(made.names, row_group_size=65_536)
