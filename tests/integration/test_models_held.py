"""Models of what a deployment holds: fitted on the lake, the same for one version and seed, stored by id."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from linkage.encode import ProjectKeys, encode
from linkage.synthesise import population
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.errors import HwlinkError, InputError, Reason, StateError
from schemas.model import default_model, parse_model
from schemas.topics import INTERNAL
from services.bus.sqlite import SqliteBus
from services.cli import model as model_command
from services.ingest.split import Origin, split, withdrawals
from services.lake.delta import DeltaZone
from services.landing.role import Landing, Pace
from services.models.held import fit_held
from services.models.store import ModelStore
from services.registry.sql import open_registry

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
SOURCES = {Feed.HEALTH: "kmpt.gp", Feed.WELFARE: "medway.shbe"}


def encoded(clear: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    identity = clear.select(c for c in clear.columns if clear[c].dtype == pl.String)
    return encode(identity, AGREEMENT, KEYS, feed, False, source=SOURCES[feed]).frame


@pytest.fixture(scope="module")
def feeds() -> dict[Feed, pl.DataFrame]:
    people = population(1_200, 500, seed=11)
    return {Feed.HEALTH: encoded(people.health, Feed.HEALTH), Feed.WELFARE: encoded(people.welfare, Feed.WELFARE)}


def land(folder: Path, feeds: dict[Feed, pl.DataFrame], rows: int = 300) -> DeltaZone:
    """Land the feeds as ingest sends them, welfare twice, with a withdrawal; leave bus and registry there too."""
    bus, zone = SqliteBus(folder / "bus.db"), DeltaZone(folder / "lake", "linkage")
    bus.create_topics(INTERNAL)
    open_registry(f"sqlite:///{folder / 'registry.db'}").close()
    producer, landing = bus.producer(), Landing.of_linkage(bus, zone, Pace(linger_s=0, poll_s=0))
    for feed, frame in (*feeds.items(), (Feed.WELFARE, feeds[Feed.WELFARE])):
        origin = Origin(SOURCES[feed], "s", "hwlink-test-1", "e", feed is Feed.HEALTH, 0)
        gone = withdrawals(frame["subject_ref"].head(5), 2**52, feed)
        for part in (*frame.iter_slices(rows), gone):
            producer.send(split(part, feed, origin))
        while landing.step():
            pass
    landing.close()
    bus.close()
    return zone


def refusal(call: object) -> HwlinkError:
    with pytest.raises(HwlinkError) as refused:
        call()  # type: ignore[operator]
    return refused.value


def test_a_fit_on_what_is_held_is_the_same_for_a_version_and_a_seed(
    tmp_path: Path, feeds: dict[Feed, pl.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = land(tmp_path, feeds)
    first, version = fit_held(zone, default_model(), seed=3)
    monkeypatch.setattr("services.models.held.ROWS_AT_ONCE", 170)
    again, same = fit_held(zone, default_model(), seed=3)
    other, _ = fit_held(zone, default_model(), seed=4)

    assert (again, same) == (first, version)
    assert other.model_id != first.model_id
    assert first.model_id == first.named_by_content().model_id
    assert first.report is not None
    # Each subject once, though one feed came twice, and none of the ten that were withdrawn.
    assert first.report.subjects == feeds[Feed.HEALTH].height + feeds[Feed.WELFARE].height - 10
    assert {(p.left_source, p.right_source) for p in first.priors} >= {("kmpt.gp", "medway.shbe")}


def test_nothing_to_fit_on_says_so(tmp_path: Path) -> None:
    refused = refusal(lambda: fit_held(DeltaZone(tmp_path, "linkage"), default_model()))
    assert isinstance(refused, StateError)
    assert "send feeds first" in refused.message


def test_a_stored_model_reads_back_and_is_stored_once(tmp_path: Path) -> None:
    store = ModelStore(DeltaZone(tmp_path, "linkage"))
    assert (store.stored(), store.load("hwlink-default-1")) == ([], None)
    model = default_model()
    for _ in range(2):
        store.save(model, lake_version=7)
    store.save(model.model_copy(update={"model_id": "another", "title": "Another"}))

    assert store.load(model.model_id) == model
    assert store.load("nobody") is None
    assert [(m.model_id, m.lake_version) for m in store.stored()] == [("another", None), (model.model_id, 7)]


def test_the_commands_fit_list_and_show(
    tmp_path: Path, feeds: dict[Feed, pl.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    land(tmp_path, feeds)
    monkeypatch.setenv("HWLINK_DATA_DIR", str(tmp_path))
    app = typer.Typer()
    model_command.register(app)

    def call(*words: str) -> str:
        done = CliRunner().invoke(app, ["model", *words], catch_exceptions=False)
        assert done.exit_code == 0
        return done.stdout

    assert "no models yet" in call("list")
    fitted = json.loads(call("fit", "--seed", "5", "--json", "--out", str(tmp_path / "copy.json")))
    name = fitted["model_id"]
    assert fitted["lake_version"] >= 0
    (listed,) = json.loads(call("list", "--json"))
    assert (listed["model_id"], listed["active"]) == (name, False)
    assert name in call("list")
    assert call("show", name, "--json") == call("show", str(tmp_path / "copy.json"), "--json")
    assert "stored" in call("fit")

    for missing in ("fit-000000000000", "active"):
        refused = refusal(lambda missing=missing: model_command.find_model(missing))
        assert (type(refused), refused.reason) == (InputError, Reason.NOT_FOUND)
    registry = open_registry(f"sqlite:///{tmp_path / 'registry.db'}")
    registry.matcher.adopt_first_model("hwlink-default-1", default_model().model_dump_json())
    registry.close()
    assert parse_model(call("show", "active", "--json")) == default_model()
    assert sum(row["active"] for row in json.loads(call("list", "--json"))) == 1
    assert refusal(lambda: model_command.model_fit(None, unique="both")).reason is Reason.OPTION_INVALID
