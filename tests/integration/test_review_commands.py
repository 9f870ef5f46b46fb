"""`hwlink review` and `hwlink explain` against a real server: what reviewers and linkage specialists type."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from schemas.columns import columns
from schemas.contracts.links import PairLink, Roster
from schemas.decision import DecisionPolicy
from schemas.disclosure import shipped_policy
from schemas.errors import InputError, PolicyError, Reason
from schemas.model import default_model
from schemas.topics import INTERNAL, LINKS
from schemas.wire import to_ipc
from services.bus import Outgoing
from services.bus.memory import MemoryBus
from services.cli import report
from services.cli.review import register
from services.link.evidence import EVIDENCE_SCHEMA
from services.registry import Snapshot
from services.registry.sql import open_registry
from services.resolver.role import Resolver
from services.review.role import linkage_service
from services.rpc.server import RpcServer

LEFT, RIGHT = f"kmpt.gp/{1:032x}", f"medway.shbe/{2:032x}"


@dataclass
class Command:
    """Runs the commands in this process, against one server."""

    address: str

    def __call__(self, *arguments: str) -> str:
        app = typer.Typer()
        register(app)
        report.register(app)
        result = CliRunner().invoke(app, [*arguments, "--to", self.address])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Command]:
    """A server with one pair in review: the first subject of one source and the second of the other."""
    model = default_model().model_copy(update={"policy": DecisionPolicy(link_probability=0.5, review_probability=0.1)})
    registry = open_registry(f"sqlite:///{tmp_path / 'registry.db'}")
    registry.matcher.adopt_first_model(model.model_id, model.model_dump_json())
    keys = [tuple(key.split("/")) for key in (LEFT, RIGHT)]
    roster = pl.DataFrame([(*key, 1, "upsert", True, None, 0) for key in keys], schema=columns(Roster), orient="row")
    pair = pl.DataFrame(
        [(*keys[0], 1, *keys[1], 1, 0, 16.0, -1.0, None, model.model_id, 0, 0, 0)],
        schema=columns(PairLink),
        orient="row",
    )
    bus = MemoryBus()
    bus.create_topics(INTERNAL)
    about = {"shard": "0", "epoch": "1"}
    bus.producer().send(
        [
            Outgoing(LINKS.name, 0, b"0", to_ipc(roster), {**about, "kind": "roster"}),
            Outgoing(LINKS.name, 0, b"0", to_ipc(pair), {**about, "kind": "pairs", "position": "{}"}),
        ]
    )
    resolver = Resolver(bus, registry.resolver, model.policy, owner="test", poll_s=0)
    resolver.step()
    summary = json.dumps({"persons": 500, "health": 450, "welfare": 150, "linked": 100})
    registry.features.publish_snapshot(
        Snapshot("2026-06-30.1", 1, date(2026, 6, 30), {}, model.model_id, {}, summary), {}, 1
    )
    server = RpcServer("127.0.0.1:0", [linkage_service(registry, shipped_policy())])
    server.start()
    yield Command(server.address)
    server.stop(0)
    resolver.close()
    registry.close()


def test_a_review_is_shown_left_and_decided(run: Command) -> None:
    shown = run("review", "next")
    assert "missing" in shown
    assert "1 open, this one included" in shown
    command = next(line for line in shown.splitlines() if "review decide" in line)
    review_id = command.split()[3]
    assert review_id.isalnum(), "an id that begins with a dash would be taken for an option"
    assert run("review", "decide", review_id, "different").startswith("recorded: different; 0 open")
    assert run("review", "next").startswith("Nothing further to review")
    assert run.json("review", "next") == {"review": None, "open_reviews": 0, "next_page_token": None}


def test_as_json_everything_is_there(run: Command) -> None:
    told = run.json("review", "next")
    evidence = told["review"]["evidence"]
    assert evidence["decision"] == "review"
    assert evidence["probability"] == 0.25
    assert {field["level"] for field in evidence["fields"]} == {"missing"}
    decided = run.json("review", "decide", told["review"]["review_id"], "unsure")
    assert decided == {"verdict": "unsure", "open_reviews": 0}


def test_a_pair_is_explained(run: Command) -> None:
    assert "They are not one person now." in run("explain", LEFT, RIGHT)
    told = run.json("explain", LEFT, RIGHT)
    assert told["same_person"] is False
    assert told["evidence"]["prior_bits"] == -17.0


def test_quality_is_shown(run: Command) -> None:
    shown = run("review", "quality")
    assert "health: 450 people, 100 linked, expected precision not estimable" in shown
    told = run.json("review", "quality")
    nothing = {"expected_precision": None, "unlinkable_rate": None}
    assert told["feeds"][1] == {"feed": "welfare", "people": 150, "linked": 100, **nothing}
    assert told["thresholds"] == []


def test_a_pair_of_a_finished_run_is_explained_alike(run: Command, tmp_path: Path) -> None:
    rows = [
        ("r.a", "1", "r.b", "2", 0, 20.0, 3.0, 0.5, 0.85, "twin", "review", "guard"),
        ("r.a", "1", "r.b", "3", 0, 20.0, 9.0, 0.0, 0.99, None, "link", "evidence"),
        ("r.a", "4", "r.b", "3", 0, 20.0, 8.0, 0.0, 0.99, None, "link", "evidence"),
    ]
    pl.DataFrame(rows, schema=EVIDENCE_SCHEMA, orient="row").write_parquet(tmp_path / "evidence.parquet")
    (tmp_path / "model.json").write_text(default_model().model_dump_json(), "utf-8")
    (tmp_path / "summary.json").write_text("{}", "utf-8")
    of_run = ("--linked", str(tmp_path))

    shown = run("explain", "r.a/1", "r.b/2", *of_run)
    assert "guard twin: They share surname" in shown
    assert "-17.0" in shown
    told, asked = run.json("explain", "r.a/1", "r.b/2", *of_run), run.json("explain", LEFT, RIGHT)
    assert told.keys() == asked.keys()
    assert told["evidence"].keys() == asked["evidence"].keys()
    assert told["evidence"]["fields"][0].keys() == asked["evidence"]["fields"][0].keys()
    assert told["evidence"]["fields"][-1]["running_bits"] == pytest.approx(2.5)

    shown = run("explain", "r.a/1", "r.a/4", *of_run)
    assert "joined by 2 links" in shown
    assert "link 2: r.a/4 and r.b/3" in shown
    assert shown.endswith("They are one person now.\n")


def test_a_service_is_reported_in_aggregates(run: Command, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    told = run.json("report", str(out))
    page = out.read_text("utf-8")
    assert told["model_id"] == default_model().model_id
    assert "<td class=number>450</td><td class=number>100</td><td>not estimable</td>" in page
    assert "2026-06-30.1" in page
    assert f"{1:032x}" not in page


@pytest.mark.parametrize("subject", ["", "medway.shbe", "/0", "medway.shbe/"])
def test_a_subject_is_named_by_source_and_reference(run: Command, subject: str) -> None:
    with pytest.raises(InputError) as caught:
        run("explain", LEFT, subject)
    assert caught.value.reason is Reason.OPTION_INVALID


def test_a_purpose_that_does_not_permit_it_is_refused(run: Command) -> None:
    with pytest.raises(PolicyError):
        run("review", "next", "--purpose", "planning")
