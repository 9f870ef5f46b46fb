"""Every bad input ends in its own reason and exit code, says what to do, and repeats no value."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

CLEAR_NAME = "Bartholomew"
NHS_NUMBER = "9434765919"
INPUT, AGREEMENT, POLICY, STATE = 3, 4, 5, 6


@pytest.fixture(scope="module")
def line(shared_line: Any) -> Any:
    """The line that all of these tests share."""
    return shared_line


@pytest.fixture(scope="module")
def files(line: Any) -> dict[str, Path]:
    """A key, a clear file, and one pseudonymised file of each feed."""
    root: Path = line.root
    line.hwlink("synthesise", root / "people", "--people", "300", "--claims", "80", "--seed", "2")
    line.hwlink("keys", "new", root / "project.key")
    made = {"key": root / "project.key", "clear": root / "people" / "health.parquet"}
    for source, feed in (("kmpt.gp", "health"), ("medway.shbe", "welfare")):
        made[feed] = root / f"{feed}.parquet"
        clear = root / "people" / f"{feed}.parquet"
        line.hwlink("pseudonymise", *common(made), "--source", source, "--feed", feed, clear, made[feed])
    return made


def common(files: dict[str, Path], agreement: str | Path = "test") -> tuple[str | Path, ...]:
    """Return the options that every pseudonymisation needs."""
    return ("--agreement", agreement, "--key-file", files["key"])


def pseudonymise(line: Any, files: dict[str, Path], clear: Path, *, fails: int, **options: Any) -> str:
    """Pseudonymise a file that is expected to fail; return its words."""
    extra = [word for name, value in options.items() for word in (f"--{name}", value)]
    words = ("pseudonymise", *common(files), "--source", "kmpt.gp", "--feed", "health", *extra)
    said: str = line.hwlink(*words, clear, line.root / "x.parquet", fails=fails)
    return said


def rewritten(path: Path, to: Path, **columns: pl.Series | pl.Expr) -> Path:
    """Copy a pseudonymised file with some columns replaced, keeping what it declares."""
    table = pq.read_table(path)
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    changed = frame.with_columns(**columns).to_arrow(compat_level=pl.CompatLevel.oldest())
    pq.write_table(changed.cast(table.schema.remove_metadata()).replace_schema_metadata(table.schema.metadata), to)
    return to


def in_row(row: int, value: object, column: str) -> pl.Expr:
    """Return a column with one row's value replaced."""
    return pl.when(pl.int_range(pl.len()) == row).then(pl.lit(value)).otherwise(pl.col(column))


def test_an_empty_file(line: Any, files: dict[str, Path]) -> None:
    empty = line.root / "empty.csv"
    empty.touch()

    assert "error[FILE_EMPTY]" in pseudonymise(line, files, empty, fails=INPUT)


def test_wrong_columns(line: Any, files: dict[str, Path]) -> None:
    wrong = line.root / "wrong.csv"
    wrong.write_text("alpha,beta\n1,2\n")

    said = pseudonymise(line, files, wrong, fails=INPUT)

    assert "error[COLUMNS_WRONG]" in said
    assert "record_id" in said


def test_wrong_encoding(line: Any, files: dict[str, Path]) -> None:
    wrong = line.root / "latin.csv"
    wrong.write_bytes(f"record_id,forename\nr1,{CLEAR_NAME}\xe9\n".encode("latin-1"))

    said = pseudonymise(line, files, wrong, fails=INPUT)

    assert "error[ENCODING_WRONG]" in said
    assert CLEAR_NAME not in said


def test_a_truncated_parquet(line: Any, files: dict[str, Path]) -> None:
    cut = line.root / "cut.parquet"
    cut.write_bytes(files["clear"].read_bytes()[:5000])
    cut_encoded = line.root / "cut_encoded.parquet"
    cut_encoded.write_bytes(files["health"].read_bytes()[:5000])

    assert "error[FILE_UNREADABLE]" in pseudonymise(line, files, cut, fails=INPUT)
    assert "error[FILE_UNREADABLE]" in line.hwlink(
        "link", cut_encoded, files["welfare"], "--out", line.root / "out", fails=INPUT
    )


def test_a_parquet_damaged_on_the_way(line: Any, files: dict[str, Path]) -> None:
    damaged, whole = line.root / "damaged.parquet", files["health"].read_bytes()
    middle = len(whole) // 2
    damaged.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])

    assert "error[FILE_UNREADABLE]" in line.hwlink(
        "link", damaged, files["welfare"], "--out", line.root / "out", fails=INPUT
    )


def test_mixed_key_epochs_and_another_agreement(line: Any, files: dict[str, Path]) -> None:
    clear, epoch, other = (
        line.root / "people" / "health.parquet",
        line.root / "epoch.parquet",
        line.root / "other.parquet",
    )
    line.hwlink(
        "pseudonymise", *common(files), "--source", "kmpt.gp", "--feed", "health", "--epoch", "2031-9", clear, epoch
    )
    line.hwlink(
        "pseudonymise", *common(files, "default"), "--source", "kmpt.gp", "--feed", "health",
        "--opt-outs-applied", "2026-06-01", clear, other,
    )  # fmt: skip

    assert "error[KEY_EPOCHS_MIXED]" in line.hwlink(
        "link", epoch, files["welfare"], "--out", line.root / "out", fails=AGREEMENT
    )
    assert "error[AGREEMENT_UNKNOWN]" in line.hwlink(
        "link", other, files["welfare"], "--out", line.root / "out", fails=AGREEMENT
    )


@pytest.fixture(scope="module")
def serving(line: Any, files: dict[str, Path]) -> Iterator[dict[str, Path]]:
    """The services, up. At the end, nothing that was refused stands in their log."""
    line.serve()
    yield files
    line.stop()
    log = (line.root / "services.log").read_text()
    assert CLEAR_NAME not in log
    assert NHS_NUMBER not in log


class TestAtTheDoor:
    """What a running server refuses."""

    def send(self, line: Any, path: Path, *extra: str, fails: int) -> str:
        """Send a file that is expected to be refused, wholly or in part; return its words on both streams."""
        done = subprocess.run(
            line.words("send", "--feed", "health", "--to", line.ingest, path, *extra),
            env=line.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == fails, said
        assert CLEAR_NAME not in said
        assert NHS_NUMBER not in said
        return said

    @pytest.mark.parametrize("entrance", [[], ["--rows"]])
    def test_a_clear_name_in_a_token_column(self, line: Any, serving: dict[str, Path], entrance: list[str]) -> None:
        name = in_row(7, CLEAR_NAME.encode().ljust(16), "token_forename")
        path = rewritten(serving["health"], line.root / "name.parquet", token_forename=name)

        said = self.send(line, path, *entrance, fails=INPUT)

        assert "CLEAR_IDENTIFIER" in said
        assert "token_forename" in said
        assert "accepted 299, refused 1" in said

    @pytest.mark.parametrize("column", ["practice_code", "lsoa", "claim_role", "subject_ref"])
    def test_an_nhs_number_in_any_field(self, line: Any, serving: dict[str, Path], column: str) -> None:
        number = in_row(7, NHS_NUMBER, column)
        path = rewritten(serving["health"], line.root / "number.parquet", **{column: number})

        said = self.send(line, path, fails=INPUT)

        assert "CLEAR_IDENTIFIER" in said
        assert column in said

    def test_a_file_of_clear_identifiers_is_refused_as_a_whole(self, line: Any, serving: dict[str, Path]) -> None:
        path = rewritten(serving["health"], line.root / "clear.parquet", practice_code=pl.lit(NHS_NUMBER))

        assert "error[FEED_SUSPECT]" in self.send(line, path, fails=POLICY)

    def test_another_agreement_and_epoch(self, line: Any, serving: dict[str, Path]) -> None:
        clear, epoch = line.root / "people" / "health.parquet", line.root / "epoch.parquet"
        line.hwlink(
            "pseudonymise",
            *common(serving),
            "--source",
            "kmpt.gp",
            "--feed",
            "health",
            "--epoch",
            "2031-9",
            clear,
            epoch,
        )

        assert "KEY_EPOCH_UNKNOWN" in self.send(line, epoch, fails=AGREEMENT)

    def test_kept_record_ids(self, line: Any, serving: dict[str, Path]) -> None:
        kept, named = line.root / "kept.parquet", ("--source", "kmpt.gp", "--feed", "health")
        line.hwlink("pseudonymise", *common(serving), *named, "--keep-ids", serving["clear"], kept)

        assert "error[CLEAR_IDENTIFIER]" in self.send(line, kept, fails=POLICY)

    def test_an_unknown_feature_and_forbidden_sql(self, line: Any, serving: dict[str, Path]) -> None:
        def ask(where: str) -> str:
            said: str = line.hwlink("query", "count", "--to", line.query, "--where", where, fails=INPUT)
            return said

        assert "error[FEATURE_UNKNOWN]" in ask("reg_cpod")
        assert "error[FILTER_FORBIDDEN]" in ask("reg_copd AND age_band IN (SELECT age_band FROM people)")
        assert "error[FILTER_UNPARSABLE]" in ask("reg_copd AND (")

    def test_a_second_server_on_the_same_files(self, line: Any, serving: dict[str, Path]) -> None:
        assert "error[ALREADY_RUNNING]" in line.hwlink("serve", "all", fails=STATE)
        assert "error[ALREADY_RUNNING]" in line.hwlink("serve", "matcher", fails=STATE)


def test_a_port_in_use(line: Any, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = subprocess.run(
            line.words("serve", "ingest"),
            env={**line.environ, "HWLINK_INGEST_ADDRESS": address, "HWLINK_DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == STATE
    assert "error[PORT_IN_USE]" in done.stderr
