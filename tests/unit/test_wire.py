"""Frames as bytes: what is written is read back, and what cannot be read is refused without a word of it."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import InputError, Reason
from schemas.wire import END_OF_STREAM, from_ipc, to_ipc

CANARY = "canary-4857773456"

FRAME = pl.DataFrame(
    {
        "token": [b"0123456789abcdef", None, b"fedcba9876543210"],
        "text": ["a", "é", None],
        "count": [1, None, -(2**53)],
        "share": [0.5, None, 1e300],
        "flag": [True, False, None],
        "day": [date(2024, 2, 29), None, date(1900, 1, 1)],
        "facts": [[{"kind": "af", "on": date(2020, 1, 1)}], [], None],
    }
)


def test_a_frame_survives_the_wire() -> None:
    assert from_ipc(to_ipc(FRAME)).equals(FRAME)
    assert from_ipc(to_ipc(FRAME)).schema == FRAME.schema


def test_an_empty_frame_keeps_its_columns() -> None:
    empty = FRAME.clear()
    assert from_ipc(to_ipc(empty)).schema == FRAME.schema
    assert from_ipc(to_ipc(empty)).height == 0


def test_repetition_costs_little() -> None:
    repeated = pl.DataFrame({"code": ["housing_association"] * 10_000})
    assert len(to_ipc(repeated)) < repeated.estimated_size() / 10


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_polars_streams_are_read_however_they_are_compressed(compression: str) -> None:
    for level in (pl.CompatLevel.oldest(), pl.CompatLevel.newest()):
        buffer = io.BytesIO()
        FRAME.write_ipc_stream(buffer, compression=compression, compat_level=level)  # type: ignore[arg-type]
        assert from_ipc(buffer.getvalue()).equals(FRAME)


def test_streams_of_other_writers_are_read() -> None:
    table = pa.table({"ref": pa.array(["a", "b"]), "token": pa.array([b"0" * 16, None], pa.binary(16))})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        for batch in table.to_batches(max_chunksize=1):
            writer.write_batch(batch)
    assert from_ipc(sink.getvalue()).to_dict(as_series=False) == {"ref": ["a", "b"], "token": [b"0" * 16, None]}


def test_a_stream_cut_anywhere_is_refused() -> None:
    data = to_ipc(FRAME)
    for end in range(len(data)):
        with pytest.raises(InputError) as refused:
            from_ipc(data[:end])
        assert refused.value.reason is Reason.BATCH_UNREADABLE


def test_a_stream_cut_between_its_batches_is_refused() -> None:
    """Without its end marker a stream of two batches would read as one of one batch, and a record would be lost."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, pa.schema({"n": pa.int64()})) as writer:
        writer.write_batch(pa.record_batch({"n": pa.array([1], pa.int64())}))
        whole = sink.getvalue()
        writer.write_batch(pa.record_batch({"n": pa.array([2], pa.int64())}))
    assert pl.read_ipc_stream(io.BytesIO(whole)).height == 1
    with pytest.raises(InputError):
        from_ipc(whole)
    assert from_ipc(sink.getvalue()).height == 2


def _written(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


STRANGE = {
    "timestamps": pa.table({"t": pa.array([datetime(2024, 1, 1)], pa.timestamp("s"))}),
    "dictionaries": pa.table({"t": pa.array([CANARY]).dictionary_encode()}),
    "decimals": pa.table({"t": pa.array([1], pa.decimal128(5))}),
    "maps": pa.table({"t": pa.array([[(CANARY, 1)]], pa.map_(pa.string(), pa.int64()))}),
    "strange things in structs in lists": pa.table({"t": pa.array([[{"x": datetime(2024, 1, 1)}]])}),
}


@pytest.mark.parametrize("kind", STRANGE)
def test_types_that_no_contract_uses_are_refused(kind: str) -> None:
    with pytest.raises(InputError, match="of a type that no record has") as refused:
        from_ipc(_written(STRANGE[kind]))
    assert CANARY not in str(refused.value)


def test_text_that_is_not_utf8_is_refused_without_its_value() -> None:
    raw = pa.array([CANARY.encode() + b"\xff"], pa.binary())
    broken = pa.Array.from_buffers(pa.string(), 1, raw.buffers())
    with pytest.raises(InputError) as refused:
        from_ipc(_written(pa.table({"text": broken})))
    assert refused.value.__cause__ is None
    assert CANARY not in f"{refused.value!r} {refused.value.__cause__}"


@pytest.mark.parametrize("data", [b"", CANARY.encode(), END_OF_STREAM, CANARY.encode() + END_OF_STREAM])
def test_what_is_no_stream_is_refused_without_its_value(data: bytes) -> None:
    with pytest.raises(InputError) as refused:
        from_ipc(data)
    assert CANARY not in str(refused.value)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_flipped_bytes_are_read_or_refused_and_never_worse(data: st.DataObject) -> None:
    stream = bytearray(to_ipc(FRAME))
    for _ in range(data.draw(st.integers(1, 4))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    with suppress(InputError):
        from_ipc(bytes(stream))


def test_a_damaged_stream_prints_nothing(tmp_path: Path) -> None:
    """A panic of Polars writes a backtrace to standard error before anything can catch it: none may be provoked."""
    script = tmp_path / "flip.py"
    script.write_text(
        "import random\n"
        "import polars as pl\n"
        "from schemas.errors import InputError\n"
        "from schemas.wire import from_ipc, to_ipc\n"
        "good = to_ipc(pl.DataFrame({'a': [b'x' * 16] * 50, 's': ['abc'] * 50, 'l': [[{'k': 'af'}]] * 50}))\n"
        "chance = random.Random(7)\n"
        "for _ in range(3000):\n"
        "    bad = bytearray(good)\n"
        "    for _ in range(chance.randint(1, 3)):\n"
        "        bad[chance.randrange(len(bad))] = chance.randrange(256)\n"
        "    try:\n"
        "        from_ipc(bytes(bad))\n"
        "    except InputError:\n"
        "        pass\n"
    )
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    result = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert result.stderr == ""
