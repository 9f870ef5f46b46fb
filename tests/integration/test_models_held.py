"""Models of what a deployment holds: fitted on the lake, the same for one version and seed, stored by id."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from linkage.encode import ProjectKeys, encode
from linkage.synthesise import population
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.errors import HwlinkError, InputError, Reason, StateError
from schemas.model import default_model, parse_model
from schemas.topics import INTERNAL, LINKS, SUBJECTS
from services.admin.status import status
from services.bootstrap import run_role
from services.bus.sqlite import SqliteBus
from services.cli import adopt as adopt_command
from services.cli import model as model_command
from services.ingest.split import Origin, split, withdrawals
from services.lake.delta import DeltaZone
from services.landing.role import Landing, Pace
from services.models.held import fit_held
from services.models.store import ModelStore
from services.registry import Snapshot
from services.registry.sql import SqlRegistry, open_registry
from services.settings import read_settings

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


# --- adopting, by command, with the roles as a deployment wires them --------------------------------------------------
@pytest.fixture
def served(
    tmp_path: Path, feeds: dict[Feed, pl.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Result]]:
    """Matcher and resolver at work on what has landed; call it with the words of a command."""
    land(tmp_path, feeds)
    monkeypatch.setenv("HWLINK_DATA_DIR", str(tmp_path))
    settings = read_settings({"HWLINK_DATA_DIR": str(tmp_path)})
    stop = threading.Event()
    roles = [threading.Thread(target=run_role, args=(name, settings, stop)) for name in ("matcher", "resolver")]
    for role in roles:
        role.start()
    app = typer.Typer()
    model_command.register(app)
    yield lambda *words: CliRunner().invoke(app, ["model", *words], catch_exceptions=False)
    stop.set()
    for role in roles:
        role.join(60)


def drained(folder: Path, persons: int) -> SqlRegistry:
    registry = open_registry(f"sqlite:///{folder / 'registry.db'}")
    for _ in range(600):
        if registry.resolver.summary().persons >= persons > 0 and not _lag(folder, registry):
            return registry
        time.sleep(0.1)
    raise AssertionError("the roles did not drain")


def _lag(folder: Path, registry: SqlRegistry) -> int:
    bus = SqliteBus(folder / "bus.db")
    position = registry.resolver.position()
    matched = [shard.position for shard in registry.matcher.shards()]
    behind = sum(end - position.get(f"{p.topic}-{p.partition}", 0) for p, end in bus.end_offsets(LINKS).items())
    behind += sum(
        end - min((at.get(f"{p.topic}-{p.partition}", 0) for at in matched), default=0)
        for p, end in bus.end_offsets(SUBJECTS).items()
    )
    bus.close()
    return behind


def publish_features(folder: Path, registry: SqlRegistry) -> None:
    """Features of everybody, as the cohort side publishes them: half of them in one age band, two in another."""
    people = registry.resolver.persons().select("person_id").unique().sort("person_id")
    bands = pl.Series(["0-4" if n < 2 else "5-17" if n % 2 else "18-44" for n in range(people.height)])
    table = people.with_columns(age_band=bands, sex_code=pl.lit(None, pl.String), imd_decile=pl.lit(3, pl.Int32))
    version = DeltaZone(folder / "lake", "products").replace("features", table, {})
    registry.features.publish_snapshot(
        Snapshot("s.1", 0, date(2026, 6, 30), {"features": version}, "m", {}, "{}"), {}, 1
    )


def test_a_model_is_adopted_by_command_after_a_look_at_who_would_change(
    tmp_path: Path, served: Callable[..., Result]
) -> None:
    registry = drained(tmp_path, 1_000)
    publish_features(tmp_path, registry)
    before = registry.resolver.persons()
    name = json.loads(served("fit", "--json").stdout)["model_id"]

    # Nobody is there to ask, and nobody said yes: the preview is shown, and nothing changes.
    looked = served("adopt", name)
    assert looked.exit_code == 0
    assert "persons of today's" in looked.stdout
    assert f"hwlink model adopt {name} --yes" in looked.stderr
    assert registry.resolver.persons().equals(before)
    asked = json.loads(served("adopt", name, "--json").stdout)
    assert (asked["in_force"], asked["next"]) == (False, f"hwlink model adopt {name} --yes")
    preview = asked["preview"]
    assert preview["subjects"] == before.height
    assert 0 < preview["subjects_moved"] < preview["subjects"]
    groups = {(group["feature"], group["value"]): group for group in asked["by_subgroup"]}
    assert groups["age_band", "0-4"]["persons"] is None, "two people are too few to be told of"
    assert groups["age_band", "5-17"]["persons"] % 5 == 0
    assert groups["sex_code", "unknown"]["persons"] >= groups["age_band", "5-17"]["persons"]
    assert ("authority", "unknown") not in groups

    # Another one meanwhile is refused; this one can be ended, and begun again to its end.
    assert refusal(lambda: served("adopt", "hwlink-default-1")).reason is Reason.NOT_FOUND
    assert json.loads(served("abandon", "--json").stdout) == {"abandoned": name}
    assert refusal(lambda: served("abandon")).reason is Reason.MODEL_MISMATCH
    done = json.loads(served("adopt", name, "--yes", "--json").stdout)
    assert (done["in_force"], done["next"]) == (True, None)
    assert registry.matcher.active_model()[0] == name  # type: ignore[index]
    after = registry.resolver.persons()
    assert after["person_id"].n_unique() == preview["persons_then"]
    assert refusal(lambda: served("adopt", name, "--yes")).reason is Reason.MODEL_MISMATCH
    actions = [event.action for _, event, _ in registry.query.audit_events()]
    assert actions == ["model.adopt", "model.abandon", "model.adopt", "model.confirm", "model.switch"]
    registry.close()


def test_an_adoption_that_nobody_works_on_says_so_and_goes_on_later(
    tmp_path: Path, feeds: dict[Feed, pl.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    land(tmp_path, feeds)
    monkeypatch.setenv("HWLINK_DATA_DIR", str(tmp_path))
    with closing(open_registry(f"sqlite:///{tmp_path / 'registry.db'}")) as registry:
        registry.matcher.adopt_first_model("m", "{}")
    refused = refusal(lambda: adopt_command.model_adopt("default", wait=0.0))
    assert (refused.reason, "hwlink serve" in refused.message) == (Reason.DEADLINE, True)
    bus = SqliteBus(tmp_path / "bus.db")
    with closing(open_registry(f"sqlite:///{tmp_path / 'registry.db'}")) as registry:
        (candidate,) = [role for role in status(bus, registry) if role.role == "matcher-candidate"]
    bus.close()
    assert candidate.lag_messages > 0
