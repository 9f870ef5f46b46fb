"""While a model is adopted, explanations, reviews and quality are the former's; after the switch they are its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from linkage.encode import ProjectKeys, encode
from linkage.synthesise import population
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.disclosure import shipped_policy
from schemas.model import ExpectedMatches, FitReport, Session, default_model
from schemas.topics import INTERNAL
from services.bus.memory import MemoryBus
from services.cli.review import register
from services.features.summary import SUBGROUPS, summary_json
from services.ingest.split import Origin, split
from services.lake.delta import DeltaZone
from services.matcher.adopting import Matching
from services.registry import AuditEvent, Snapshot
from services.registry.sql import SqlRegistry, open_registry
from services.resolver import Resolver
from services.review.role import linkage_service
from services.rpc.server import RpcServer

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
GP, SHBE = "kmpt.gp", "medway.shbe"
EVENT = AuditEvent("test", "operation", "model.adopt", "done", {})
OLD = default_model()
LOWER_BITS = 6.0
"""By how much the new model's prior odds are below the old one's."""

_SESSION = Session(name="names", pairs=400, expected_matches=300, iterations=3, converged=True, used=True)
_RECKONED = ExpectedMatches(left_source=GP, right_source=SHBE, matches=300, low=280, high=320)
NEW = OLD.model_copy(
    update={
        "model_id": "stricter-and-fitted",
        "default_log2_prior": OLD.default_log2_prior - LOWER_BITS,
        "report": FitReport(
            seed=1, subjects=900, random_pairs=10, sessions=(_SESSION,), expected=(_RECKONED,), unemitted=0.01
        ),
    }
)


@dataclass
class Service:
    """Matcher, resolver and review server over one registry; `ask` runs commands against the server."""

    registry: SqlRegistry
    bus: MemoryBus
    matcher: Matching
    resolver: Resolver
    address: str
    app: typer.Typer = field(default_factory=typer.Typer)

    def __post_init__(self) -> None:
        register(self.app)

    def drain(self) -> None:
        quiet = 0
        while quiet < 3:
            quiet = 0 if self.matcher.step() + self.resolver.step() else quiet + 1

    def ask(self, *arguments: str) -> Any:
        result = CliRunner().invoke(self.app, [*arguments, "--to", self.address, "--json"], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def answers(self, pair: tuple[str, str]) -> dict[str, Any]:
        """What people are told now: of a pair, of the next review, and of quality."""
        review = self.ask("review", "next")
        return {
            "explained": self.ask("explain", *pair),
            "reviews": (review["open_reviews"], review["review"] and review["review"]["evidence"]),
            "quality": self.ask("review", "quality"),
        }

    def publish(self, number: int) -> None:
        """Publish a snapshot of today's persons by the model in force; the numbers of people are not the point."""
        people = pl.DataFrame(
            {
                **{name: [None] * 300 for name in SUBGROUPS},
                "in_health": True,
                "in_welfare": [True] * 150 + [False] * 150,
            },
            schema_overrides=dict.fromkeys(SUBGROUPS, pl.String),
        ).with_columns(linked=pl.col("in_welfare"))
        model_id = self.registry.matcher.in_use().active
        made = Snapshot(f"2026-06-30.{number}", number, date(2026, 6, 30), {}, model_id, {}, summary_json(people))
        self.registry.features.publish_snapshot(made, {}, number)

    def linked_pair(self) -> tuple[str, str]:
        """Return two subjects, as SOURCE/REF, that one pair alone makes one person."""
        persons = self.registry.resolver.persons().with_columns(key=pl.concat_str("source", pl.lit("/"), "subject_ref"))
        twos = persons.group_by("person_id").agg(pl.col("key").sort(), pl.len()).filter(pl.col("len") == 2)
        left, right = twos["key"].sort()[0]
        return left, right


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service that has matched two feeds by the old model."""
    registry = open_registry(f"sqlite:///{tmp_path / 'registry.db'}")
    bus = MemoryBus()
    bus.create_topics(INTERNAL)
    made = population(500, 300, seed=5, error_scale=2.0)
    for feed, source, clear in ((Feed.HEALTH, GP, made.health), (Feed.WELFARE, SHBE, made.welfare)):
        registry.ingest.open_stream(source, source, feed.value, "{}")
        identity = clear.select(name for name in clear.columns if clear[name].dtype == pl.String)
        frame = encode(identity, AGREEMENT, KEYS, feed, False, source=source).frame
        origin = Origin(source, "s", AGREEMENT.agreement_id, "e", feed is Feed.HEALTH, 0)
        for rows in frame.iter_slices(100):
            bus.producer().send(split(rows, feed, origin))
    zone = DeltaZone(tmp_path / "lake", "linkage")
    matcher = Matching(bus, registry.matcher, zone, OLD, owner="m", batch_messages=4, poll_s=0)
    resolver = Resolver(bus, registry.resolver, OLD.policy, owner="r", adoptions=registry.adoptions, poll_s=0)
    server = RpcServer("127.0.0.1:0", [linkage_service(registry, shipped_policy())])
    server.start()
    running = Service(registry, bus, matcher, resolver, server.address)
    running.drain()
    yield running
    server.stop(0)
    matcher.close()
    resolver.close()
    registry.close()


def test_answers_are_of_the_model_in_force(service: Service) -> None:
    service.publish(1)
    pair = service.linked_pair()
    before = service.answers(pair)
    assert before["explained"]["evidence"]["model_id"] == before["quality"]["model_id"] == OLD.model_id
    assert before["reviews"][1]["model_id"] == OLD.model_id
    assert all(feed["expected_precision"] is not None for feed in before["quality"]["feeds"])

    service.registry.adoptions.begin(NEW.model_id, NEW.model_dump_json(), EVENT)
    steps = 0
    while service.matcher.step() + service.resolver.step():  # the candidate catches up, and is previewed
        steps += 1
        assert service.answers(pair) == before
    assert steps > 3
    adoption = service.registry.adoptions.in_use().adoption
    assert adoption is not None
    service.registry.adoptions.confirm(adoption.serial, EVENT)
    assert service.answers(pair) == before
    service.drain()

    after = service.answers(pair)
    told, former = after["explained"]["evidence"], before["explained"]["evidence"]
    assert told["model_id"] == NEW.model_id
    assert told["prior_bits"] == pytest.approx(former["prior_bits"] - LOWER_BITS, abs=0.2)
    assert after["reviews"][1]["model_id"] == NEW.model_id
    assert after["reviews"][0] == service.registry.resolver.summary().reviews
    # The newest snapshot is still the former model's: the new one's probabilities say nothing of its links.
    assert after["quality"]["model_id"] == OLD.model_id
    assert [feed["expected_precision"] for feed in after["quality"]["feeds"]] == [None, None]

    service.publish(2)
    quality = service.ask("review", "quality")
    assert quality["model_id"] == NEW.model_id
    for feed in quality["feeds"]:
        assert feed["expected_precision"] is not None
        assert feed["expected_recall_low"] < feed["expected_recall"] < feed["expected_recall_high"], (
            "this one is fitted"
        )
