"""`hwlink send` against a real server: both entrances, resumption, what it refuses to send, and what it tells."""

from __future__ import annotations

import json
import threading
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

from schemas.contracts.base import Feed
from schemas.errors import AgreementError, HwlinkError, InputError, PolicyError, Reason, TransientError
from services.cli import send as send_command
from services.send.file import FeedFile, Stated, lawful
from services.send.session import Sending, send, stream_id_of

FEEDS = list(Feed)


def run_send(*arguments: Any) -> Any:
    """Run the command in this process; failures come out as exceptions."""
    app = typer.Typer()
    send_command.register(app)
    return CliRunner().invoke(app, [str(a) for a in arguments])


def opened(kit: Any, path: Path, feed: Feed, frame: pl.DataFrame, **declared: Any) -> tuple[FeedFile, Any]:
    declaration = kit.declaration(feed, **declared)
    return FeedFile(kit.write(path, frame, declaration), feed), declaration


@pytest.mark.parametrize("entrance", ["columns", "rows"])
@pytest.mark.parametrize("feed", FEEDS)
def test_a_file_arrives_whole_by_either_entrance(
    kit: Any, running: Any, tmp_path: Path, feed: Feed, entrance: str
) -> None:
    frame = kit.records(feed, 900)
    file, declared = opened(kit, tmp_path / "f.parquet", feed, frame)
    report = send(file, declared, running.address, Sending(entrance == "rows", 400))
    assert (report.accepted, report.refused, report.duplicate, report.sent_rows) == (900, 0, 0, 900)
    got = running.subjects().select("subject_ref", "token_surname", "filter_address", "version").sort("subject_ref")
    assert_frame_equal(got, frame.select(got.columns).sort("subject_ref"))
    assert running.registry.ingest.streams()[0].completed


def test_both_entrances_of_a_file_with_bad_values_refuse_the_same(kit: Any, tmp_path: Path) -> None:
    """Nulls and numbers that protobuf cannot carry as they are included."""
    frame = kit.records(Feed.WELFARE, 60, seed=4).with_columns(
        version=pl.Series([None, -1, 2**60, *[5] * 57], dtype=pl.Int64),
        operation=pl.Series([None, "upsert", "withdraw", "delete", *["upsert"] * 56]),
        subject_ref=pl.when(pl.int_range(pl.len()) == 5).then(None).otherwise("subject_ref"),
        token_surname=pl.when(pl.int_range(pl.len()) == 6).then(pl.lit(b"SMITH")).otherwise("token_surname"),
        arrears=pl.when(pl.int_range(pl.len()) == 7)
        .then(pl.lit([{"kind": "council_tax"}], dtype=pl.List(pl.Struct({"kind": pl.String}))))
        .otherwise(None)
        .cast(kit.records(Feed.WELFARE, 1).schema["arrears"]),
    )
    reports = []
    for entrance in (False, True):
        running = kit.start(tmp_path / f"data-{entrance}")
        file, declared = opened(kit, tmp_path / "f.parquet", Feed.WELFARE, frame)
        reports.append(send(file, declared, running.address, Sending(entrance, 25)))
        kit.stop(running)
    assert reports[0].first_refusals == reports[1].first_refusals
    assert [r.row for r in reports[0].first_refusals] == [1, 2, 3, 4, 6, 7, 8]
    assert reports[0].refusals == reports[1].refusals


def test_sending_again_finds_the_stream_complete(kit: Any, running: Any, tmp_path: Path) -> None:
    file, declared = opened(kit, tmp_path / "f.parquet", Feed.HEALTH, kit.records(Feed.HEALTH, 100))
    send(file, declared, running.address)
    again = send(file, declared, running.address)
    assert (again.already_complete, again.sent_rows, again.accepted) == (True, 0, 100)
    assert running.subjects().height == 100


def test_the_same_content_is_the_same_stream_and_nothing_else_is(kit: Any, tmp_path: Path) -> None:
    frame = kit.records(Feed.HEALTH, 50)
    file, declared = opened(kit, tmp_path / "f.parquet", Feed.HEALTH, frame)
    same, _ = opened(kit, tmp_path / "copy.parquet", Feed.HEALTH, frame)
    other, _ = opened(kit, tmp_path / "other.parquet", Feed.HEALTH, frame.head(49))
    how = Sending()
    ids = {
        stream_id_of(other, declared, how),
        stream_id_of(file, declared.model_copy(update={"purpose": "x"}), how),
        stream_id_of(file, declared, Sending(rows_entrance=True)),
        stream_id_of(file, declared, Sending(rows_a_batch=10)),
        stream_id_of(file, declared, how),
    }
    assert len(ids) == 5
    assert stream_id_of(same, declared, how) in ids


class KilledError(Exception):
    """Stands for a client that is killed."""


def test_a_killed_sender_goes_on_where_it_was(kit: Any, running: Any, tmp_path: Path) -> None:
    frame = kit.records(Feed.HEALTH, 900)
    file, declared = opened(kit, tmp_path / "f.parquet", Feed.HEALTH, frame)

    def dies(done: int, _total: int) -> None:
        if done >= 300:
            raise KilledError

    with pytest.raises(KilledError):
        send(file, declared, running.address, Sending(rows_a_batch=100), dies)
    report = send(file, declared, running.address, Sending(rows_a_batch=100))
    assert report.first_batch >= 3
    assert (report.accepted, report.refused) == (900, 0)
    assert running.subjects()["subject_ref"].n_unique() == 900


def test_a_server_that_goes_and_comes_back_is_waited_for(kit: Any, tmp_path: Path) -> None:
    """The sender reconnects by itself; what was durable before is not sent again."""
    frame = kit.records(Feed.HEALTH, 600)
    file, declared = opened(kit, tmp_path / "f.parquet", Feed.HEALTH, frame)
    first = kit.start(tmp_path / "data")
    port = int(first.address.rpartition(":")[2])
    restarted: list[Any] = []

    def restart() -> None:
        kit.stop(first, 0.0)
        restarted.append(kit.start(tmp_path / "data", port=port))

    def on_progress(done: int, _total: int) -> None:
        if done == 200:
            threading.Thread(target=restart).start()
            threading.Event().wait(0.3)

    report = send(file, declared, first.address, Sending(rows_a_batch=100, patience_s=30), on_progress)
    assert report.reconnects >= 1
    assert (report.accepted, report.refused) == (600, 0)
    assert restarted[0].subjects()["subject_ref"].n_unique() == 600
    kit.stop(restarted[0])


def test_patience_ends(kit: Any, tmp_path: Path) -> None:
    file, declared = opened(kit, tmp_path / "f.parquet", Feed.HEALTH, kit.records(Feed.HEALTH, 5))
    with pytest.raises(TransientError) as caught:
        send(file, declared, "127.0.0.1:1", Sending(patience_s=0.0))
    assert caught.value.reason is Reason.UNAVAILABLE


def test_a_file_that_breaks_on_the_way_is_unreadable(kit: Any, running: Any, tmp_path: Path) -> None:
    """The footer is whole and a row group is not: known only when it is read."""
    path = kit.write(tmp_path / "f.parquet", kit.records(Feed.HEALTH, 1_500), kit.declaration(Feed.HEALTH))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 20_000] = bytes(20_000)
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        send(FeedFile(path, Feed.HEALTH), kit.declaration(Feed.HEALTH), running.address, Sending(rows_a_batch=200))
    assert caught.value.reason is Reason.FILE_UNREADABLE


def test_a_batch_beyond_the_servers_size_is_not_sent(kit: Any, running: Any, tmp_path: Path) -> None:
    facts = [{"condition": "af", "status": "active", "recorded_on": date(2020, 1, 1)}] * 40_000
    frame = kit.records(Feed.HEALTH, 10)
    frame = frame.with_columns(diagnoses=pl.Series([facts] * 10, dtype=frame.schema["diagnoses"]))
    file, declared = opened(kit, tmp_path / "f.parquet", Feed.HEALTH, frame)
    with pytest.raises(InputError) as caught:
        send(file, declared, running.address, Sending(rows_entrance=True))
    assert caught.value.reason is Reason.BATCH_TOO_LARGE
    assert send(file, declared, running.address, Sending(rows_entrance=True, rows_a_batch=2)).accepted == 10


def test_rows_of_a_column_that_no_message_takes_are_refused_without_their_value(
    kit: Any, running: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    frame = kit.records(Feed.HEALTH, 5).with_columns(sex=pl.lit(9434765919))
    file, declared = opened(kit, tmp_path / "f.parquet", Feed.HEALTH, frame)
    with pytest.raises(InputError) as caught:
        send(file, declared, running.address, Sending(rows_entrance=True))
    assert caught.value.reason is Reason.COLUMNS_WRONG
    assert "9434765919" not in caught.value.message + "".join(capfd.readouterr())


# --- what is never sent ------------------------------------------------------------------------------------------


def test_files_that_cannot_be_sent_say_why(kit: Any, tmp_path: Path) -> None:
    health, frame = kit.declaration(Feed.HEALTH), kit.records(Feed.HEALTH, 20)
    whole = kit.write(tmp_path / "whole.parquet", frame, health)
    (tmp_path / "short.parquet").write_bytes(whole.read_bytes()[:-100])
    (tmp_path / "text.parquet").write_text("record_id,forename\n1,Ann\n")
    (tmp_path / "nothing.parquet").touch()
    kit.write(tmp_path / "clear.parquet", frame, None)
    kit.write(tmp_path / "empty.parquet", frame.clear(), health)
    kit.write(tmp_path / "more.parquet", frame.with_columns(forename=pl.lit("Ann")), health)
    kit.write(tmp_path / "less.parquet", frame.drop("version"), health)
    kit.write(tmp_path / "kept.parquet", frame, kit.declaration(Feed.HEALTH, ids_kept=True))
    kit.write(tmp_path / "welfare.parquet", kit.records(Feed.WELFARE, 5), kit.declaration(Feed.WELFARE))
    expected: dict[str, tuple[type[HwlinkError], Reason]] = {
        "missing": (InputError, Reason.FILE_UNREADABLE),
        "short": (InputError, Reason.FILE_UNREADABLE),
        "text": (InputError, Reason.FILE_UNREADABLE),
        "nothing": (InputError, Reason.FILE_UNREADABLE),
        "clear": (InputError, Reason.COLUMNS_WRONG),
        "empty": (InputError, Reason.FILE_EMPTY),
        "more": (InputError, Reason.COLUMNS_WRONG),
        "less": (InputError, Reason.COLUMNS_WRONG),
        "kept": (PolicyError, Reason.CLEAR_IDENTIFIER),
        "welfare": (InputError, Reason.FIELD_INVALID),
    }
    for name, (kind, reason) in expected.items():
        with pytest.raises(HwlinkError) as caught:
            FeedFile(tmp_path / f"{name}.parquet", Feed.HEALTH)
        assert (name, type(caught.value), caught.value.reason) == (name, kind, reason)
        assert "Ann" not in caught.value.message


def test_batches_are_the_same_wherever_reading_starts(kit: Any, tmp_path: Path) -> None:
    frame = kit.records(Feed.HEALTH, 1_050)
    path = kit.write(tmp_path / "f.parquet", frame, kit.declaration(Feed.HEALTH), group_rows=300)
    file = FeedFile(path, Feed.HEALTH)
    whole = list(file.batches(128, 0))
    assert file.count(128) == len(whole) == 3 * 3 + 2
    assert_frame_equal(pl.concat([rows for _, _, rows in whole]), frame)
    for first in range(len(whole) + 1):
        rest = list(file.batches(128, first))
        assert [(n, row) for n, row, _ in rest] == [(n, row) for n, row, _ in whole[first:]]
        for (_, _, got), (_, _, expected) in zip(rest, whole[first:], strict=True):
            assert_frame_equal(got, expected)


# --- declarations ------------------------------------------------------------------------------------------------


def test_the_lawful_frame_comes_from_the_sender_then_the_file_then_the_agreement(kit: Any, tmp_path: Path) -> None:
    from schemas.agreement import shipped_agreement

    frame, agreement = kit.records(Feed.HEALTH, 5), shipped_agreement("test")
    file, _ = opened(kit, tmp_path / "f.parquet", Feed.HEALTH, frame, legal_basis=None, purpose="the file's")
    declared = lawful(file, agreement, Stated(data_sharing_agreement="the sender's"))
    assert declared.legal_basis == agreement.sharing.legal_basis
    assert (declared.purpose, declared.data_sharing_agreement) == ("the file's", "the sender's")


def test_what_nobody_states_is_named(kit: Any, tmp_path: Path) -> None:
    frame = kit.records(Feed.HEALTH, 5)
    file, _ = opened(kit, tmp_path / "f.parquet", Feed.HEALTH, frame, extract_date=None, purpose=None)
    with pytest.raises(InputError) as caught:
        lawful(file, None, Stated())
    assert caught.value.reason is Reason.FIELD_INVALID
    assert "purpose, extract_date, opt_outs_applied_on" in caught.value.message


def test_a_real_agreement_never_guesses_the_extract_date(kit: Any, tmp_path: Path) -> None:
    from schemas.agreement import shipped_agreement

    frame = kit.records(Feed.WELFARE, 5)
    file, _ = opened(kit, tmp_path / "f.parquet", Feed.WELFARE, frame, extract_date=None)
    with pytest.raises(InputError):
        lawful(file, shipped_agreement("default"), Stated())
    assert lawful(file, shipped_agreement("test"), Stated()).extract_date is not None
    stated = Stated(extract_date=date(2026, 1, 2))
    assert lawful(file, shipped_agreement("default"), stated).extract_date == date(2026, 1, 2)


def test_an_agreement_that_the_server_lacks_ends_the_send(kit: Any, running: Any, tmp_path: Path) -> None:
    file, declared = opened(
        kit, tmp_path / "f.parquet", Feed.HEALTH, kit.records(Feed.HEALTH, 5), agreement_id="another-1"
    )
    with pytest.raises(AgreementError) as caught:
        send(file, declared, running.address)
    assert caught.value.reason is Reason.AGREEMENT_UNKNOWN


# --- the command -------------------------------------------------------------------------------------------------


def test_the_command_reports_and_exits_with_zero_when_all_went_in(kit: Any, running: Any, tmp_path: Path) -> None:
    path = kit.write(tmp_path / "f.parquet", kit.records(Feed.HEALTH, 120), kit.declaration(Feed.HEALTH))
    done = run_send("--feed", "health", "--to", running.address, path, "--json")
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert (report["accepted"], report["refused"], report["refusals"]) == (120, 0, [])


def test_the_command_exits_with_three_and_lists_refused_rows(kit: Any, running: Any, tmp_path: Path) -> None:
    frame = kit.records(Feed.HEALTH, 40).with_columns(
        sex=pl.when(pl.int_range(pl.len()).is_in([6, 30])).then(pl.lit("CANARY")).otherwise("sex")
    )
    path = kit.write(tmp_path / "f.parquet", frame, kit.declaration(Feed.HEALTH))
    done = run_send("--feed", "health", "--to", running.address, "--batch-rows", 10, path)
    assert done.exit_code == 3
    assert "row 7, sex: FIELD_INVALID" in done.stdout
    assert "row 31, sex: FIELD_INVALID" in done.stdout
    assert "CANARY" not in done.output
    assert run_send("--feed", "health", "--to", running.address, "--batch-rows", 10, path).exit_code == 3


def test_the_command_refuses_a_feed_that_there_is_not(kit: Any, tmp_path: Path) -> None:
    done = run_send("--feed", "housing", "--to", "127.0.0.1:1", tmp_path / "f.parquet")
    assert isinstance(done.exception, InputError)
    assert done.exception.reason is Reason.OPTION_INVALID
