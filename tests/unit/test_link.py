"""`hwlink link`: outputs as documented, and each bad input refused with its reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pa_parquet
import pytest
import typer
from typer.testing import CliRunner

from linkage.encode import ProjectKeys, encode
from linkage.explain import log2_odds
from linkage.synthesise import population
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.contracts.records import FileDeclaration
from schemas.errors import HwlinkError, Reason
from schemas.model import default_model, parse_model
from services.cli import link as link_command
from services.cli import model as model_command
from services.link import run
from services.link.evidence import EVIDENCE_SCHEMA, LinkedRun, read_run
from services.link.explain import explain_run

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
SHIPPED = default_model()


def write(path: Path, clear: pl.DataFrame, source: str, feed: Feed = Feed.HEALTH, **declared: Any) -> Path:
    identity = clear.select(c for c in clear.columns if clear[c].dtype == pl.String)
    frame = encode(identity, AGREEMENT, KEYS, feed, True, source=source).frame
    declaration = FileDeclaration(
        **{
            "feed": feed, "source": source, "agreement_id": AGREEMENT.agreement_id,
            "agreement_hash": AGREEMENT.content_hash, "key_epoch": AGREEMENT.key_epoch, "ids_kept": True, **declared,
        }
    )  # fmt: skip
    table = frame.to_arrow()
    table = table.replace_schema_metadata({b"hwlink": declaration.model_dump_json(exclude_none=True).encode()})
    pa_parquet.write_table(table, path)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("link")
    made = population(1_500, 500, seed=21)
    write(where / "health.parquet", made.health, "medway.gp")
    write(where / "welfare.parquet", made.welfare, "medway.shbe", Feed.WELFARE)
    made.truth.write_csv(where / "truth.csv")
    twice = pl.concat([made.health.head(300), made.health.head(100).with_columns(pl.col("record_id") + "-again")])
    write(where / "twice.parquet", twice, "medway.twice")
    twice.select(subject="record_id", person=pl.col("record_id").str.replace("-again", "")).write_csv(
        where / "persons.csv"
    )
    return where


def refusal(call: Any) -> HwlinkError:
    with pytest.raises(HwlinkError) as refused:
        call()
    return refused.value


def test_two_files_are_linked_and_scored(folder: Path, tmp_path: Path) -> None:
    summary = run(
        folder / "health.parquet", folder / "welfare.parquet", tmp_path, shipped=SHIPPED, truth=folder / "truth.csv"
    )
    links, persons = pl.read_parquet(tmp_path / "links.parquet"), pl.read_parquet(tmp_path / "persons.parquet")

    assert links.columns == [
        "left_source", "left_subject", "right_source", "right_subject", "weight_bits", "probability", "decision",
    ]  # fmt: skip
    assert persons.columns == ["person_id", "source", "subject"]
    assert persons.height == 2_000 == summary["counts"]["subjects"]
    assert links["left_source"].unique().to_list() == ["medway.gp"]
    assert set(links["decision"].unique()) <= {"link", "review", "apart"}
    assert (links["decision"] == "link").sum() == summary["counts"]["link"]
    assert summary["quality"]["persons"]["f1"] > 0.95
    assert [file["one_record_per_person"] for file in summary["files"]] == [True, True]
    assert json.loads((tmp_path / "summary.json").read_text("utf-8")) == json.loads(json.dumps(summary))
    assert set(summary["seconds"]) == {"read", "fit", "match", "resolve", "write", "total"}
    assert summary["peak_memory_mib"] > 0


def test_every_pair_of_a_run_can_be_explained_from_what_it_wrote(folder: Path, tmp_path: Path) -> None:
    run(folder / "health.parquet", folder / "welfare.parquet", tmp_path, shipped=SHIPPED)
    links, kept = pl.read_parquet(tmp_path / "links.parquet"), read_run(tmp_path)
    assert parse_model((tmp_path / "model.json").read_text("utf-8")) == kept.model
    assert kept.evidence.schema == EVIDENCE_SCHEMA
    for row in links.drop_nulls().sample(40, seed=1).to_dicts():
        names = tuple(f"{row[f'{side}_source']}/{row[f'{side}_subject']}" for side in ("left", "right"))
        explained = explain_run(kept, *names)
        assert explained.pair is not None
        assert {explained.pair.left, explained.pair.right} == set(names)
        assert explained.same_person == (row["decision"] == "link")
        assert explained.pair.pair.weight_bits == row["weight_bits"]
        if 1e-9 < row["probability"] < 1 - 1e-9:
            assert explained.pair.terms[-1].running_bits == pytest.approx(log2_odds(row["probability"]), abs=1e-5)
    with pytest.raises(HwlinkError) as refused:
        explain_run(kept, "medway.gp/nobody", "medway.shbe/nobody")
    assert refused.value.reason is Reason.NOT_FOUND
    (tmp_path / "evidence.parquet").unlink()
    assert refusal(lambda: read_run(tmp_path)).reason is Reason.FILE_UNREADABLE


def test_a_person_of_three_is_explained_through_its_links(tmp_path: Path) -> None:
    """Two records of one file that share nothing are one person because each shares enough with a third."""
    pair = ("r.a", "1", "r.b", "2", 0, 20.0, 8.0, 0.0, 0.99, None, "link", "evidence")
    other = ("r.b", "2", "r.b", "3", 0, 20.0, 6.0, 0.0, 0.98, None, "link", "evidence")
    kept = LinkedRun({}, SHIPPED, pl.DataFrame([pair, other], schema=EVIDENCE_SCHEMA, orient="row"))
    explained = explain_run(kept, "r.a/1", "r.b/3")

    assert explained.pair is None
    assert explained.same_person
    assert [(link.left, link.right) for link in explained.path] == [("r.a/1", "r.b/2"), ("r.b/2", "r.b/3")]
    assert explain_run(kept, "r.a/1", "r.b/2").path == ()


def test_files_of_one_source_are_told_apart_when_a_pair_is_named(tmp_path: Path) -> None:
    pair = ("r.a#1", "1", "r.a#2", "1", 0, 20.0, 8.0, 0.0, 0.99, None, "link", "evidence")
    kept = LinkedRun({}, SHIPPED, pl.DataFrame([pair], schema=EVIDENCE_SCHEMA, orient="row"))

    for names in (("r.a/1", "r.a/1"), ("r.a#2/1", "r.a#1/1")):
        explained = explain_run(kept, *names)
        assert explained.pair is not None
        assert explained.same_person


def test_the_files_may_be_named_in_either_order(folder: Path, tmp_path: Path) -> None:
    names = ("health.parquet", "welfare.parquet")
    there = run(folder / names[0], folder / names[1], tmp_path / "there", shipped=SHIPPED)
    back = run(folder / names[1], folder / names[0], tmp_path / "back", shipped=SHIPPED)
    one, other = (pl.read_parquet(tmp_path / name / "links.parquet") for name in ("there", "back"))

    assert there["model"] == back["model"]
    assert set(one.select("left_subject", "right_subject", "decision").rows()) == set(
        other.select("right_subject", "left_subject", "decision").rows()
    )


def test_duplicates_of_one_file_are_found(folder: Path, tmp_path: Path) -> None:
    summary = run(folder / "twice.parquet", None, tmp_path, shipped=SHIPPED, truth=folder / "persons.csv")
    persons, links = (pl.read_parquet(tmp_path / f"{name}.parquet") for name in ("persons", "links"))
    together = persons.join(persons, on="person_id").filter(pl.col("subject") < pl.col("subject_right"))

    assert set(links.filter(decision="link").select("left_subject", "right_subject").rows()) == set(
        together.select("subject", "subject_right").rows()
    )
    assert summary["quality"]["links"] == summary["quality"]["persons"]
    assert summary["quality"]["persons"]["recall"] > 0.9
    assert summary["quality"]["persons"]["precision"] > 0.95
    assert persons.height == 400
    assert summary["files"][0]["one_record_per_person"] is False


def test_a_file_of_unique_people_has_no_duplicates(folder: Path, tmp_path: Path) -> None:
    summary = run(folder / "twice.parquet", None, tmp_path, shipped=SHIPPED, unique="left")

    assert summary["counts"]["link"] == 0
    assert summary["counts"]["persons"] == 400


def test_two_files_of_one_source_are_told_apart(folder: Path, tmp_path: Path) -> None:
    summary = run(folder / "twice.parquet", folder / "twice.parquet", tmp_path, shipped=SHIPPED, model=SHIPPED)
    persons = pl.read_parquet(tmp_path / "persons.parquet")

    assert summary["counts"]["subjects"] == 800
    assert summary["counts"]["link"] > 150
    assert persons["source"].unique().to_list() == ["medway.twice"]


def test_a_given_model_is_used_as_it_is(folder: Path, tmp_path: Path) -> None:
    summary = run(folder / "health.parquet", folder / "welfare.parquet", tmp_path, shipped=SHIPPED, model=SHIPPED)

    assert summary["model"] == {"model_id": SHIPPED.model_id, "fitted": False}
    assert summary["quality"] is None


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"agreement_id": "another-1"}, Reason.AGREEMENT_UNKNOWN),
        ({"agreement_hash": "0" * 64}, Reason.AGREEMENT_UNKNOWN),
        ({"key_epoch": "test-2"}, Reason.KEY_EPOCHS_MIXED),
    ],
)
def test_files_that_cannot_be_compared_are_refused(
    folder: Path, tmp_path: Path, declared: dict[str, str], reason: Reason
) -> None:
    other = write(tmp_path / "other.parquet", population(20, 5, seed=1).health, "other.gp", Feed.HEALTH, **declared)
    refused = refusal(lambda: run(folder / "health.parquet", other, tmp_path, shipped=SHIPPED))

    assert refused.reason is reason
    assert refused.exit_code == 4


def _no_declaration(path: Path, whole: Path) -> None:
    pl.read_parquet(whole).write_parquet(path)


def _other_declaration(path: Path, whole: Path) -> None:
    pa_parquet.write_table(pa_parquet.read_table(whole).replace_schema_metadata({b"hwlink": b"{}"}), path)


def _no_tokens(path: Path, whole: Path) -> None:
    pa_parquet.write_table(pa_parquet.read_table(whole).select(["subject_ref", "version"]), path)


def _text_tokens(path: Path, whole: Path) -> None:
    table = pa_parquet.read_table(whole)
    position = table.schema.names.index("token_forename")
    names = pl.Series("token_forename", ["CLEARNAME"] * table.num_rows).to_arrow()
    pa_parquet.write_table(table.set_column(position, "token_forename", names), path)


def _short_tokens(path: Path, whole: Path) -> None:
    table = pa_parquet.read_table(whole)
    position = table.schema.names.index("token_forename")
    names = pl.Series("token_forename", [b"CLEARNAME"] * table.num_rows).to_arrow()
    pa_parquet.write_table(table.set_column(position, "token_forename", names), path)


def _cut_short(path: Path, whole: Path) -> None:
    path.write_bytes(whole.read_bytes()[:-2000])


def _damaged(path: Path, whole: Path) -> None:
    content = bytearray(whole.read_bytes())
    content[len(content) // 5 : len(content) // 2] = bytes(len(content) // 2 - len(content) // 5)
    path.write_bytes(bytes(content))


def _nothing(path: Path, whole: Path) -> None:
    path.write_bytes(b"")


def _no_rows(path: Path, whole: Path) -> None:
    pa_parquet.write_table(pa_parquet.read_table(whole).slice(0, 0), path)


def _csv(path: Path, whole: Path) -> None:
    path.write_text("record_id,forename\n1,CLEARNAME\n", "utf-8")


def _absent(path: Path, whole: Path) -> None:
    path.unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("spoil", "reason", "exit_code"),
    [
        (_no_declaration, Reason.COLUMNS_WRONG, 3),
        (_other_declaration, Reason.COLUMNS_WRONG, 3),
        (_no_tokens, Reason.COLUMNS_WRONG, 3),
        (_text_tokens, Reason.COLUMNS_WRONG, 3),
        (_short_tokens, Reason.CLEAR_IDENTIFIER, 5),
        (_cut_short, Reason.FILE_UNREADABLE, 3),
        (_damaged, Reason.FILE_UNREADABLE, 3),
        (_nothing, Reason.FILE_EMPTY, 3),
        (_no_rows, Reason.FILE_EMPTY, 3),
        (_csv, Reason.FILE_UNREADABLE, 3),
        (_absent, Reason.FILE_UNREADABLE, 3),
    ],
)
def test_an_unusable_file_is_refused_without_a_value(
    folder: Path, tmp_path: Path, spoil: Any, reason: Reason, exit_code: int
) -> None:
    spoil(tmp_path / "spoilt.parquet", folder / "health.parquet")
    refused = refusal(
        lambda: run(folder / "welfare.parquet", tmp_path / "spoilt.parquet", tmp_path / "out", shipped=SHIPPED)
    )

    assert (refused.reason, refused.exit_code) == (reason, exit_code)
    assert "CLEARNAME" not in refused.message


def test_options_that_make_no_sense_are_refused(folder: Path, tmp_path: Path) -> None:
    health = folder / "health.parquet"
    (tmp_path / "file").write_text("", "utf-8")
    (tmp_path / "wrong.csv").write_text("a,b\n1,2\n", "utf-8")

    assert refusal(lambda: run(health, None, tmp_path, shipped=SHIPPED, unique="all")).reason is Reason.OPTION_INVALID
    assert refusal(lambda: run(health, None, tmp_path / "file", shipped=SHIPPED)).reason is Reason.OPTION_INVALID
    for name, reason in (("wrong.csv", Reason.COLUMNS_WRONG), ("absent.csv", Reason.FILE_UNREADABLE)):
        truth = tmp_path / name
        assert refusal(lambda t=truth: run(health, None, tmp_path, shipped=SHIPPED, truth=t)).reason is reason


def test_the_commands_report_and_write(folder: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    link_command.register(app)
    model_command.register(app)
    call = CliRunner().invoke
    files = [str(folder / "health.parquet"), str(folder / "welfare.parquet")]

    fitted = call(app, ["model", "fit", *files, "--out", str(tmp_path / "m.json"), "--json"])
    assert fitted.exit_code == 0
    model = parse_model((tmp_path / "m.json").read_text("utf-8"))
    assert json.loads(fitted.stdout)["model_id"] == model.model_id

    shown = call(app, ["model", "show", str(tmp_path / "m.json")])
    assert "date_of_birth" in shown.stdout
    assert "frequencies" not in json.loads(call(app, ["model", "show", str(tmp_path / "m.json"), "--json"]).stdout)

    out = str(tmp_path / "out")
    told = call(
        app, ["link", *files, "--out", out, "--model", str(tmp_path / "m.json"), "--truth", str(folder / "truth.csv")]
    )
    assert told.exit_code == 0
    assert "persons: precision" in told.stdout
    summary = json.loads(call(app, ["link", *files, "--out", out, "--model", "default", "--json"]).stdout)
    assert summary["model"]["model_id"] == SHIPPED.model_id


def test_a_model_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}", "utf-8")

    assert refusal(lambda: model_command.read_model(str(tmp_path / "bad.json"))).reason is Reason.FIELD_INVALID
    assert refusal(lambda: model_command.read_model(str(tmp_path / "none.json"))).reason is Reason.FILE_UNREADABLE
