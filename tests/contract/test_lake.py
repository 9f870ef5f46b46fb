"""What every lake adapter does alike. One suite, each adapter supplies only its constructor."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from schemas.columns import columns
from schemas.contracts.subject import FILTER_COLUMNS, TOKEN_COLUMNS, Subject
from schemas.errors import DefectError, HwlinkError, Reason, StateError
from services.lake import Zone
from services.lake.delta import DeltaZone


@pytest.fixture(params=["delta"])
def zone(request: pytest.FixtureRequest, tmp_path: Path) -> Zone:
    return DeltaZone(tmp_path / "lake", "linkage")


def landed(offsets: list[int], partition: int = 0, topic: str = "t") -> pl.DataFrame:
    """Two rows for each message, as landing writes them."""
    rows = [(f"{o}.{i}", topic, partition, o) for o in offsets for i in (0, 1)]
    return pl.DataFrame(
        rows,
        orient="row",
        schema={"ref": pl.String, "_topic": pl.String, "_partition": pl.Int64, "_offset": pl.Int64},
    )


def refs(zone: Zone, table: str = "events", version: int | None = None) -> list[str]:
    scan = zone.scan(table, version)
    assert scan is not None
    return sorted(scan.select("ref").collect().to_series())


def test_there_is_nothing_at_first(zone: Zone) -> None:
    assert zone.tables() == []
    assert zone.version("events") is None
    assert zone.scan("events") is None
    assert zone.scan("events", 3) is None
    assert zone.offsets("events") == {}
    assert zone.vacuum("events", [], 0) == 0
    zone.compact("events")
    assert zone.tables() == []


def test_rows_and_offsets_arrive_together(zone: Zone) -> None:
    assert zone.append("events", landed([0, 1]), {"t-0": 1})
    assert zone.append("events", pl.concat([landed([2]), landed([5], 3)]), {"t-0": 2, "t-3": 5})
    assert refs(zone) == ["0.0", "0.1", "1.0", "1.1", "2.0", "2.1", "5.0", "5.1"]
    assert zone.offsets("events") == {"t-0": 2, "t-3": 5}
    assert zone.version("events") == 1
    assert zone.tables() == ["events"]


def test_a_replay_writes_nothing(zone: Zone) -> None:
    zone.append("events", landed([0, 1]), {"t-0": 1})
    for replay in ([0, 1], [1], [0]):
        assert not zone.append("events", landed(replay), {"t-0": max(replay)})
    assert zone.version("events") == 0
    assert refs(zone) == ["0.0", "0.1", "1.0", "1.1"]


def test_of_a_batch_that_was_partly_landed_only_the_rest_is_appended(zone: Zone) -> None:
    zone.append("events", pl.concat([landed([0, 1]), landed([0], 1)]), {"t-0": 1, "t-1": 0})
    assert zone.append("events", pl.concat([landed([1, 2]), landed([0], 1)]), {"t-0": 2, "t-1": 0})
    assert zone.offsets("events") == {"t-0": 2, "t-1": 0}
    assert refs(zone) == ["0.0", "0.0", "0.1", "0.1", "1.0", "1.1", "2.0", "2.1"]


def test_each_table_holds_offsets_of_its_own(zone: Zone) -> None:
    zone.append("events", landed([7]), {"t-0": 7})
    assert zone.append("others", landed([3]), {"t-0": 3})
    assert zone.offsets("others") == {"t-0": 3}


def test_offsets_move_on_without_rows(zone: Zone) -> None:
    assert zone.append("events", landed([]), {"t-0": 4})
    assert zone.append("events", landed([]), {"t-0": 6})
    assert zone.offsets("events") == {"t-0": 6}
    assert refs(zone) == []


def test_rows_without_an_offset_are_a_defect(zone: Zone) -> None:
    with pytest.raises(DefectError):
        zone.append("events", landed([1], 2), {"t-0": 1})


def test_a_new_column_is_added_and_an_absent_one_is_null(zone: Zone) -> None:
    zone.append("events", landed([0]).with_columns(old=1), {"t-0": 0})
    zone.append("events", landed([1]).with_columns(new=2), {"t-0": 1})
    scan = zone.scan("events")
    assert scan is not None
    rows = scan.sort("ref").select("old", "new").collect().rows()
    assert rows == [(1, None), (1, None), (None, 2), (None, 2)]


def test_a_column_that_changed_its_type_is_refused_without_its_values(zone: Zone) -> None:
    zone.append("events", landed([0]).with_columns(n=1), {"t-0": 0})
    with pytest.raises(StateError) as caught:
        zone.append("events", landed([1]).with_columns(n=pl.lit("CANARY")), {"t-0": 1})
    assert caught.value.reason is Reason.STORE_VERSION
    assert "CANARY" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert zone.offsets("events") == {"t-0": 0}


def test_every_type_of_the_contracts_and_of_features_comes_back(zone: Zone) -> None:
    frame = pl.DataFrame(
        {
            "bytes": [b"\x00\xff", None],
            "text": ["ü", None],
            "number": [2**53, None],
            "share": [0.5, None],
            "flag": [True, None],
            "day": [date(2024, 2, 29), None],
            "list": [[{"x": 1, "y": "a"}], []],
            "small": pl.Series([7, None], dtype=pl.Int8),
            "unsigned": pl.Series([2**31, None], dtype=pl.UInt32),
            "category": pl.Series(["a", None], dtype=pl.Categorical),
            "enum": pl.Series(["b", None], dtype=pl.Enum(["b"])),
        }
    )
    zone.replace("features", frame, {})
    scan = zone.scan("features")
    assert scan is not None
    expected = frame.cast({"unsigned": pl.Int64, "category": pl.String, "enum": pl.String})
    assert_frame_equal(scan.collect(), expected)


def test_replace_leaves_only_the_new_rows_columns_and_offsets(zone: Zone) -> None:
    assert zone.replace("events", landed([0, 1]), {"t-0": 1}) == 0
    assert zone.replace("events", pl.DataFrame({"ref": ["x"], "other": [1]}), {"t-0": 9}) == 1
    scan = zone.scan("events")
    assert scan is not None
    assert scan.collect().to_dicts() == [{"ref": "x", "other": 1}]
    assert zone.offsets("events") == {"t-0": 9}
    zone.replace("events", landed([]), {"t-0": 10})
    assert refs(zone) == []


def test_an_older_version_can_be_read_until_it_is_vacuumed(zone: Zone) -> None:
    for n in range(3):
        zone.replace("events", landed([n]), {})
    assert refs(zone, version=0) == ["0.0", "0.1"]
    assert zone.vacuum("events", [1], 0) == 1
    assert refs(zone, version=1) == ["1.0", "1.1"]
    assert refs(zone) == ["2.0", "2.1"]
    with pytest.raises(StateError) as caught:
        zone.scan("events", 99)
    assert caught.value.reason is Reason.STORE_MISSING


def test_vacuum_spares_what_is_young(zone: Zone) -> None:
    for n in range(3):
        zone.replace("events", landed([n]), {})
    assert zone.vacuum("events", [], 1) == 0
    assert refs(zone, version=0) == ["0.0", "0.1"]


def test_a_scan_shows_the_version_it_was_opened_at(zone: Zone) -> None:
    zone.replace("events", landed([0]), {})
    scan = zone.scan("events")
    zone.replace("events", landed([1]), {})
    assert scan is not None
    assert scan.collect()["ref"].to_list() == ["0.0", "0.1"]


def keyed(**rows: int) -> pl.DataFrame:
    return pl.DataFrame({"id": list(rows), "n": list(rows.values())}, schema={"id": pl.String, "n": pl.Int64})


def test_merge_inserts_updates_and_removes(zone: Zone) -> None:
    assert zone.merge("people", keyed(a=1, b=1, gone=0).with_columns(_deleted=pl.col("id") == "gone"), "id", {}) == 0
    change = keyed(b=2, c=2, a=0, never=0).with_columns(_deleted=pl.col("id").is_in(["a", "never"]))
    assert zone.merge("people", change, "id", {"p-0": 7}) == 1
    scan = zone.scan("people")
    assert scan is not None
    assert scan.sort("id").collect().rows() == [("b", 2), ("c", 2)]
    assert zone.offsets("people") == {"p-0": 7}


def test_merge_by_two_columns_takes_new_columns(zone: Zone) -> None:
    first = pl.DataFrame({"source": ["x.a", "x.b"], "ref": ["1", "1"], "n": [1, 2]})
    zone.merge("people", first, ("source", "ref"), {})
    second = pl.DataFrame({"source": ["x.b"], "ref": ["1"], "n": [3], "new": ["z"]})
    zone.merge("people", second, ("source", "ref"), {})
    scan = zone.scan("people")
    assert scan is not None
    assert scan.sort("source").collect().rows() == [("x.a", "1", 1, None), ("x.b", "1", 3, "z")]


def test_a_key_that_stands_twice_in_a_merge_is_a_defect(zone: Zone) -> None:
    with pytest.raises(DefectError):
        zone.merge("people", pl.concat([keyed(a=1), keyed(a=2)]), "id", {})


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from("abcde"), st.none() | st.integers(0, 9), min_size=1), max_size=5))
def test_merges_in_a_row_do_what_a_dictionary_does(
    tmp_path_factory: pytest.TempPathFactory, changes: list[dict[str, int | None]]
) -> None:
    zone = DeltaZone(tmp_path_factory.mktemp("lake"), "products")
    model: dict[str, int] = {}
    for change in changes:
        rows = [(k, n, n is None) for k, n in change.items()]
        schema = {"id": pl.String, "n": pl.Int64, "_deleted": pl.Boolean}
        zone.merge("people", pl.DataFrame(rows, orient="row", schema=schema), "id", {})
        model = {k: n for k, n in {**model, **change}.items() if n is not None}
        scan = zone.scan("people")
        assert scan is not None
        assert dict(scan.collect().rows()) == model


def test_compaction_makes_one_file_of_many_and_changes_no_row(zone: Zone, tmp_path: Path) -> None:
    for n in range(12):
        zone.append("events", landed([n]), {"t-0": n})
    before = refs(zone)
    zone.compact("events")
    assert refs(zone) == before
    assert zone.offsets("events") == {"t-0": 11}
    zone.vacuum("events", [], 0)
    assert len(list((tmp_path / "lake" / "linkage" / "events").glob("*.parquet"))) == 1
    assert refs(zone) == before
    zone.compact("events")  # nothing to do is no error
    assert not zone.append("events", landed([11]), {"t-0": 11})


def test_offsets_survive_checkpoints_of_the_log(zone: Zone, tmp_path: Path) -> None:
    zone.append("events", landed([0], 9), {"t-9": 0})
    for n in range(120):
        zone.append("events", landed([n]), {"t-0": n})
    assert (tmp_path / "lake" / "linkage" / "events" / "_delta_log" / "_last_checkpoint").exists()
    zone.append("events", landed([0], 4), {"t-4": 0})
    assert zone.offsets("events") == {"t-0": 119, "t-4": 0, "t-9": 0}


def test_a_table_name_cannot_leave_the_zone(zone: Zone) -> None:
    with pytest.raises(DefectError):
        zone.append("../events", landed([0]), {"t-0": 0})


def test_a_damaged_log_is_a_clear_error(zone: Zone, tmp_path: Path) -> None:
    zone.append("events", landed([0]), {"t-0": 0})
    log = tmp_path / "lake" / "linkage" / "events" / "_delta_log" / f"{0:020}.json"
    log.write_text("{ not json")
    with pytest.raises(StateError):
        zone.version("events")


def _append_all(zone: Zone, start: threading.Event | None, log: list[bool]) -> None:
    """Land messages 0 to 19 in fours, overlapping, as one of several writers that do the same."""
    if start is not None:
        start.wait(20)
    log += [zone.append("events", landed(list(range(n, n + 4))), {"t-0": n + 3}) for n in range(0, 17, 2)]


def test_writers_at_once_land_each_message_once(zone: Zone) -> None:
    start = threading.Event()
    log: list[bool] = []
    threads = [threading.Thread(target=_append_all, args=(zone, start, log)) for _ in range(3)]
    for thread in threads:
        thread.start()
    start.set()
    for thread in threads:
        thread.join()
    assert refs(zone) == sorted(f"{o}.{i}" for o in range(20) for i in (0, 1))
    assert sum(log) == (zone.version("events") or 0) + 1


def test_writing_processes_land_each_message_once(zone: Zone) -> None:
    spawn = multiprocessing.get_context("spawn")
    batches = [[0, 1, 2], [0, 1], [0, 1, 2, 3]]
    children = [
        spawn.Process(target=zone.append, args=("events", landed(batch), {"t-0": batch[-1]})) for batch in batches
    ]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
        assert child.exitcode == 0
    assert refs(zone) == sorted(f"{o}.{i}" for o in range(4) for i in (0, 1))


# What the files on disk may not hold.


def test_the_log_holds_no_token_and_no_reference(tmp_path: Path) -> None:
    zone = DeltaZone(tmp_path / "lake", "linkage")
    canary_ref = "00c0ffee" * 4
    token = b"CANARY-TOKEN-16b"
    row: dict[str, object] = dict.fromkeys(columns(Subject))
    row |= dict.fromkeys(TOKEN_COLUMNS, token) | dict.fromkeys(FILTER_COLUMNS, token * 4)
    row |= {"source": "x.a", "subject_ref": canary_ref, "claim_group": token, "version": 1, "operation": "upsert"}
    frame = pl.DataFrame([row], schema=columns(Subject)).with_columns(
        _topic=pl.lit("t"), _partition=pl.lit(0, dtype=pl.Int64), _offset=pl.lit(0, dtype=pl.Int64)
    )
    offset = pl.lit(0, dtype=pl.Int64)
    for n in range(101):  # the hundredth commit writes a checkpoint
        zone.append("subjects", frame.with_columns(_offset=offset + n), {"t-0": n})
    zone.compact("subjects")
    zone.merge("people", frame.with_columns(_deleted=pl.lit(value=False)), "subject_ref", {})
    zone.merge("people", frame.with_columns(_deleted=pl.lit(value=True)), ["source", "subject_ref"], {})
    zone.replace("people", frame, {})
    logs = [p for p in (tmp_path / "lake").rglob("*") if p.is_file() and "_delta_log" in p.parts]
    assert any(p.name.endswith("checkpoint.parquet") for p in logs)
    for log in logs:
        raw = log.read_bytes()
        texts = [raw]
        if log.suffix == ".parquet":
            texts += [str(pl.read_parquet(log).to_dicts()).encode()]
        for text in texts:
            assert token not in text
            assert token.hex().encode() not in text
            assert canary_ref.encode() not in text
    assert (tmp_path / "lake" / "linkage").stat().st_mode & 0o077 == 0


def test_what_was_vacuumed_is_in_no_file(tmp_path: Path) -> None:
    zone = DeltaZone(tmp_path / "lake", "linkage")
    secret = "5ec2e7" * 5
    zone.append("events", landed([0]).with_columns(ref=pl.lit(secret)), {"t-0": 0})
    zone.replace("events", landed([1]), {"t-0": 1})
    zone.vacuum("events", [], 0)
    for path in (tmp_path / "lake").rglob("*"):
        if path.suffix == ".parquet":
            assert secret not in str(pl.read_parquet(path).to_dicts())


def test_a_lake_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("a file where the folder should be")
    zone = DeltaZone(tmp_path / "lake", "linkage")
    calls: list[Callable[[], object]] = [
        lambda: zone.append("events", landed([0]), {"t-0": 0}),
        lambda: zone.replace("events", landed([0]), {}),
    ]
    for call in calls:
        with pytest.raises(HwlinkError):
            call()
