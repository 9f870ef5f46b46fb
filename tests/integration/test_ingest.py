"""The door over real gRPC, a real bus and a real registry: what lands, what is refused, and what the client is told."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from datetime import date
from typing import Any

import grpc
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from schemas.contracts.base import Feed
from schemas.contracts.facts import FACT_KINDS
from schemas.errors import HwlinkError, InputError, PolicyError, Reason, StateError, TransientError
from schemas.topics import CONTENT, SUBJECTS
from schemas.wire import from_ipc
from services.ingest.stream import WINDOW
from services.lake.latest import latest
from services.pb.hwlink.v1 import error_reason_pb2, ingest_pb2
from services.rpc.errors import from_rpc_error
from services.send.encode import close_request, columns_request, open_request, rows_request

STREAM = "stream-0001"
FEEDS = list(Feed)


def refused(exchange: Callable[[], Any]) -> HwlinkError:
    """Return the failure that a call ended with."""
    with pytest.raises(grpc.RpcError) as caught:
        exchange()
    return from_rpc_error(caught.value)


def receipts(responses: list[ingest_pb2.IngestResponse]) -> list[ingest_pb2.Receipt]:
    return [response.receipt for response in responses if response.WhichOneof("part") == "receipt"]


def reasons(receipt: ingest_pb2.Receipt) -> list[tuple[int, str, str]]:
    name = error_reason_pb2.ErrorReason.Name
    return [(r.index, r.field, name(r.reason).removeprefix("ERROR_REASON_")) for r in receipt.refusals]


def stream(kit: Any, feed: Feed, *requests: Any, close: int | None = None, **declared: Any) -> list[Any]:
    """Return a call's requests: the opening, these batches, and a closing if asked for."""
    closing = [] if close is None else [close_request(feed, close)]
    return [open_request(STREAM, kit.declaration(feed, **declared)), *requests, *closing]


def landed(running: Any, feed: Feed) -> dict[str, pl.DataFrame]:
    facts = {kind: running.facts(feed, kind) for kind in FACT_KINDS[feed]}
    return {"subjects": running.subjects(), **facts}


# --- one meaning -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("feed", FEEDS)
def test_both_entrances_land_the_same(kit: Any, tmp_path: Any, feed: Feed) -> None:
    frame = kit.records(feed, 300, seed=7)
    frame = frame.with_columns(
        pl.when(pl.int_range(pl.len()) % 50 == 0).then(pl.lit("withdraw")).otherwise("operation").alias("operation")
    )
    halves = [frame.head(150), frame.tail(150)]
    results = []
    for name, makers in {
        "rows": (rows_request, rows_request),
        "columns": (columns_request, columns_request),
        "mixed": (columns_request, rows_request),
    }.items():
        running = kit.start(tmp_path / name)
        batches = [make(feed, n, half) for n, (make, half) in enumerate(zip(makers, halves, strict=True))]
        responses = kit.client(running.address).exchange(feed, stream(kit, feed, *batches, close=2))
        assert [(r.accepted, r.refused) for r in receipts(responses)] == [(150, 0), (150, 0)]
        results.append(landed(running, feed))
        kit.stop(running)
    assert results[0]["subjects"].height == results[0]["demographics"].height == 300
    for other in results[1:]:
        for kind, rows in results[0].items():
            assert_frame_equal(rows, other[kind])


def test_withdrawals_carry_nothing_but_their_key(kit: Any, running: Any) -> None:
    frame = kit.records(Feed.WELFARE, 20, seed=3).with_columns(operation=pl.lit("withdraw"))
    kit.client(running.address).exchange(
        Feed.WELFARE, stream(kit, Feed.WELFARE, columns_request(Feed.WELFARE, 0, frame))
    )
    for kind in ("subjects", "demographics"):
        rows = landed(running, Feed.WELFARE)[kind]
        assert rows.height == 20
        kept = {"source", "subject_ref", "version", "operation", "content_hash", "ordinal"}
        assert all(rows[name].null_count() == 20 for name in set(rows.columns) - kept)
    assert running.facts(Feed.WELFARE, "claims").is_empty()


def test_subjects_and_content_are_apart_and_share_key_partition_and_hash(kit: Any, running: Any) -> None:
    frame = kit.records(Feed.HEALTH, 400, seed=5)
    kit.client(running.address).exchange(Feed.HEALTH, stream(kit, Feed.HEALTH, columns_request(Feed.HEALTH, 0, frame)))
    subjects, demographics = running.subjects(), running.facts(Feed.HEALTH, "demographics")
    assert not [name for name in demographics.columns if name.startswith(("token_", "key_", "filter_"))]
    assert not {"sex", "birth_year_month", "lsoa"} & set(subjects.columns)
    key = ["source", "subject_ref", "version", "content_hash"]
    assert_frame_equal(subjects.select(key), demographics.select(key))
    for topic in (SUBJECTS, CONTENT[Feed.HEALTH]):
        for message in running.messages(topic):
            headers = message.headers
            assert (headers["source"], headers["stream_id"], headers["batch"]) == ("kmpt.gp", STREAM, "0")
            assert (headers["one_record_per_person"], headers["schema_version"]) == ("true", "1")
            assert message.key == b"kmpt.gp"
            rows = from_ipc(message.value)
            assert headers["rows"] == str(rows.height)
            assert rows.height <= (500 if topic is SUBJECTS else 2_000)
            assert {int(ref[:8], 16) % topic.partitions for ref in rows["subject_ref"]} == {message.partition}


# --- refusals of records -----------------------------------------------------------------------------------------

NHS = "9434765919"
"""A made-up number of the test range whose check digit holds."""

BAD: list[tuple[Feed, str, Any, str, str]] = [
    (Feed.HEALTH, "subject_ref", "7", "subject_ref", "FIELD_INVALID"),
    (Feed.HEALTH, "subject_ref", NHS, "subject_ref", "CLEAR_IDENTIFIER"),
    (Feed.HEALTH, "subject_ref", f"{int(NHS):032d}", "subject_ref", "CLEAR_IDENTIFIER"),
    (Feed.HEALTH, "subject_ref", b"SMITH JOHN 1970A".hex(), "subject_ref", "CLEAR_IDENTIFIER"),
    (Feed.HEALTH, "subject_ref", "A" * 32, "subject_ref", "FIELD_INVALID"),
    (Feed.HEALTH, "version", 2**53 + 1, "version", "FIELD_INVALID"),
    (Feed.HEALTH, "version", int(NHS), "version", "CLEAR_IDENTIFIER"),
    (Feed.HEALTH, "token_surname", b"\x81" * 15, "token_surname", "FIELD_INVALID"),
    (Feed.HEALTH, "token_surname", b"", "token_surname", "FIELD_INVALID"),
    (Feed.HEALTH, "token_surname", bytes(16), "token_surname", "FIELD_INVALID"),
    (Feed.HEALTH, "token_surname", b"SMITHSON", "token_surname", "CLEAR_IDENTIFIER"),
    (Feed.HEALTH, "token_surname", b"SMITHSON\0\0\0\0\0\0\0\0", "token_surname", "CLEAR_IDENTIFIER"),
    (Feed.HEALTH, "token_surname", "Ołeksandr".encode(), "token_surname", "CLEAR_IDENTIFIER"),
    (Feed.HEALTH, "key_birth_sex", b"1970-01-01/2    ", "key_birth_sex", "CLEAR_IDENTIFIER"),
    (Feed.HEALTH, "filter_address", b"\x81" * 63, "filter_address", "FIELD_INVALID"),
    (Feed.HEALTH, "claim_role", "landlord", "claim_role", "FIELD_INVALID"),
    (Feed.HEALTH, "sex", "male", "sex", "FIELD_INVALID"),
    (Feed.HEALTH, "birth_year_month", "1970-13", "birth_year_month", "FIELD_INVALID"),
    (Feed.HEALTH, "birth_year_month", "1970-03-14", "birth_year_month", "CLEAR_IDENTIFIER"),
    (Feed.HEALTH, "lsoa", "ME7 1AB", "lsoa", "CLEAR_IDENTIFIER"),
    (Feed.HEALTH, "lsoa", f"{NHS[:3]} {NHS[3:6]} {NHS[6:]}", "lsoa", "CLEAR_IDENTIFIER"),
    (Feed.HEALTH, "practice_code", "QQ123456C", "practice_code", "CLEAR_IDENTIFIER"),
    (Feed.HEALTH, "practice_code", "a@b.example", "practice_code", "CLEAR_IDENTIFIER"),
    (Feed.HEALTH, "practice_code", "07700 900123", "practice_code", "CLEAR_IDENTIFIER"),
    (Feed.WELFARE, "claim_group", b"short", "claim_group", "CLEAR_IDENTIFIER"),
]

BAD_FACTS: list[tuple[Feed, str, str, Any, str]] = [
    (Feed.HEALTH, "diagnoses", "condition", "gout", "FIELD_INVALID"),
    (Feed.HEALTH, "diagnoses", "recorded_on", date(1799, 1, 1), "FIELD_INVALID"),
    (Feed.HEALTH, "encounters", "primary_diagnosis", "E11 for QQ123456C", "CLEAR_IDENTIFIER"),
    (Feed.WELFARE, "claims", "claim_ref", "12345", "FIELD_INVALID"),
    (Feed.WELFARE, "claims", "claim_ref", f"{12345:032d}", "CLEAR_IDENTIFIER"),
    (Feed.WELFARE, "claims", "tenure", "houseboat", "FIELD_INVALID"),
    (Feed.WELFARE, "claims", "weekly_award_pence", 10**9 + 1, "FIELD_INVALID"),
    (Feed.WELFARE, "arrears", "balance_pence", int(NHS), "CLEAR_IDENTIFIER"),
    (Feed.WELFARE, "arrears", "balance_pence", None, "FIELD_INVALID"),
]


def with_value(frame: pl.DataFrame, row: int, name: str, value: Any) -> pl.DataFrame:
    values = frame[name].to_list()
    values[row] = value
    return frame.with_columns(pl.Series(name, values, dtype=frame.schema[name]))


@pytest.mark.parametrize("make", [rows_request, columns_request])
@pytest.mark.parametrize("feed", FEEDS)
def test_each_bad_value_refuses_its_record_alone_and_is_never_repeated(
    kit: Any, running: Any, feed: Feed, make: Any
) -> None:
    """One batch with every fault there is, two good records between: all faults are told, all good records land."""
    faults = [fault for fault in BAD if fault[0] is feed]
    fact_faults = [fault for fault in BAD_FACTS if fault[0] is feed]
    count = 2 * (len(faults) + len(fact_faults))
    frame = kit.records(feed, count, seed=11)
    expected = []
    for place, (_, name, value, field, reason) in enumerate(faults):
        frame = with_value(frame, 2 * place, name, value)
        expected.append((2 * place, field, reason))
    templates = {
        name: next(facts for facts in kit.records(feed, 60, seed=2)[name].to_list() if facts)
        for name in {fault[1] for fault in fact_faults}
    }
    for place, (_, name, key, value, reason) in enumerate(fact_faults, len(faults)):
        good = templates[name][0]
        frame = with_value(frame, 2 * place, name, [good, {**good, key: value}])
        expected.append((2 * place, f"{name}[1].{key}", reason))
    responses = kit.client(running.address).exchange(feed, stream(kit, feed, make(feed, 0, frame), close=1))
    (receipt,) = receipts(responses)
    assert reasons(receipt) == expected
    assert (receipt.accepted, receipt.refused) == (count // 2, count // 2)
    assert running.subjects().height == count // 2
    said = str(responses)
    for value in (NHS, "SMITH", "QQ123456C", "ME7 1AB", "900123", "landlord", "houseboat"):
        assert value not in said
    closed = responses[-1].closed
    assert (closed.accepted, closed.refused) == (count // 2, count // 2)
    (row,) = running.registry.ingest.streams()
    assert (row.accepted, row.refused, row.completed) == (count // 2, count // 2, True)


def test_a_record_with_several_faults_counts_once_and_names_each(kit: Any, running: Any) -> None:
    frame = with_value(with_value(kit.records(Feed.HEALTH, 3), 1, "sex", "m"), 1, "lsoa", "nowhere")
    responses = kit.client(running.address).exchange(
        Feed.HEALTH, stream(kit, Feed.HEALTH, columns_request(Feed.HEALTH, 0, frame))
    )
    (receipt,) = receipts(responses)
    assert (receipt.accepted, receipt.refused) == (2, 1)
    assert reasons(receipt) == [(1, "lsoa", "FIELD_INVALID"), (1, "sex", "FIELD_INVALID")]


def test_a_clear_name_as_text_in_a_token_column_is_a_clear_identifier(kit: Any, running: Any) -> None:
    """A column of strings where bytes belong is no matter of types: it says in clear what should be hashed."""
    frame = kit.records(Feed.HEALTH, 4).with_columns(token_surname=pl.Series(["SMITH", None, "Smith-Jones", "Ng"]))
    responses = kit.client(running.address).exchange(
        Feed.HEALTH, stream(kit, Feed.HEALTH, columns_request(Feed.HEALTH, 0, frame))
    )
    (receipt,) = receipts(responses)
    assert reasons(receipt) == [(i, "token_surname", "CLEAR_IDENTIFIER") for i in (0, 2, 3)]
    assert receipt.accepted == 1


# --- refusals of whole batches -----------------------------------------------------------------------------------


def batch_of(batch: int, data: bytes) -> ingest_pb2.HealthIngestRequest:
    return ingest_pb2.HealthIngestRequest(columns=ingest_pb2.ColumnBatch(batch=batch, arrow_ipc=data))


def whole(kit: Any) -> dict[str, tuple[Any, str]]:
    good = kit.records(Feed.HEALTH, 10)
    large = pl.concat([kit.records(Feed.HEALTH, 1)] * 5_001)
    as_columns = columns_request(Feed.HEALTH, 0, good).columns.arrow_ipc
    facts = pl.Series("diagnoses", [[{"condition": "af", "status": "active", "comment": "x"}]] * 10)
    return {
        "not Arrow": (batch_of(0, b"no such thing"), "BATCH_UNREADABLE"),
        "cut short": (batch_of(0, as_columns[:-40]), "BATCH_UNREADABLE"),
        "too many rows": (columns_request(Feed.HEALTH, 0, large), "BATCH_TOO_LARGE"),
        "too many records": (rows_request(Feed.HEALTH, 0, large), "BATCH_TOO_LARGE"),
        "too many bytes": (batch_of(0, bytes(9 * 1024 * 1024)), "BATCH_TOO_LARGE"),
        "unknown column": (columns_request(Feed.HEALTH, 0, good.with_columns(nhs_number=pl.lit(NHS))), "COLUMNS_WRONG"),
        "other feed": (columns_request(Feed.HEALTH, 0, kit.records(Feed.WELFARE, 5)), "COLUMNS_WRONG"),
        "no version": (columns_request(Feed.HEALTH, 0, good.drop("version")), "COLUMNS_WRONG"),
        "wrong type": (columns_request(Feed.HEALTH, 0, good.with_columns(sex=pl.lit(1.5))), "COLUMNS_WRONG"),
        "no list": (columns_request(Feed.HEALTH, 0, good.with_columns(diagnoses=pl.lit("x"))), "COLUMNS_WRONG"),
        "unknown field of a fact": (columns_request(Feed.HEALTH, 0, good.with_columns(facts)), "COLUMNS_WRONG"),
    }


def test_an_unusable_batch_gets_its_reason_and_the_stream_goes_on(kit: Any, running: Any) -> None:
    cases = whole(kit)
    good = kit.records(Feed.HEALTH, 10)
    requests = []
    for number, (request, _) in enumerate(cases.values()):
        getattr(request, request.WhichOneof("part")).batch = number
        requests.append(request)
    last = columns_request(Feed.HEALTH, len(cases), good)
    client = kit.client(running.address)
    responses = []
    for start in range(0, len(requests), 4):
        responses += client.exchange(Feed.HEALTH, stream(kit, Feed.HEALTH, *requests[start : start + 4]))
    responses += client.exchange(Feed.HEALTH, stream(kit, Feed.HEALTH, last, close=len(cases) + 1))
    told = [error_reason_pb2.ErrorReason.Name(r.reason).removeprefix("ERROR_REASON_") for r in receipts(responses)]
    assert told == [reason for _, reason in cases.values()] + ["UNSPECIFIED"]
    assert running.subjects().height == 10
    assert responses[-1].closed.accepted == 10


def test_columns_that_are_left_out_count_as_null(kit: Any, running: Any) -> None:
    frame = kit.records(Feed.HEALTH, 5).select("version", "subject_ref", "token_surname")
    responses = kit.client(running.address).exchange(
        Feed.HEALTH, stream(kit, Feed.HEALTH, columns_request(Feed.HEALTH, 0, frame))
    )
    assert receipts(responses)[0].accepted == 5
    assert set(running.subjects()["operation"]) == {"upsert"}


# --- order, window, resumption ------------------------------------------------------------------------------------


def test_a_batch_out_of_order_ends_the_call_after_what_is_durable(kit: Any, running: Any) -> None:
    frame = kit.records(Feed.HEALTH, 10)
    client = kit.client(running.address)
    requests = stream(kit, Feed.HEALTH, columns_request(Feed.HEALTH, 0, frame), columns_request(Feed.HEALTH, 2, frame))
    error = refused(lambda: client.exchange(Feed.HEALTH, requests))
    assert (type(error), error.reason) == (InputError, Reason.BATCH_OUT_OF_ORDER)
    again = client.exchange(Feed.HEALTH, stream(kit, Feed.HEALTH))
    assert again[0].opened.next_batch == 1


def test_a_batch_sent_twice_is_known_and_counts_once(kit: Any, running: Any) -> None:
    frame = with_value(kit.records(Feed.HEALTH, 10), 4, "sex", "m")
    batch = columns_request(Feed.HEALTH, 0, frame)
    client = kit.client(running.address)
    client.exchange(Feed.HEALTH, stream(kit, Feed.HEALTH, batch))
    responses = client.exchange(Feed.HEALTH, stream(kit, Feed.HEALTH, batch, close=1))
    (receipt,) = receipts(responses)
    assert (receipt.duplicate, receipt.accepted, receipt.refused) == (True, 9, 1)
    assert not receipt.refusals
    assert running.subjects().height == 9
    closed = responses[-1].closed
    assert (closed.accepted, closed.refused, closed.duplicate) == (9, 1, 10)


def test_killed_between_topics_and_registry_a_batch_lands_twice_and_counts_once(kit: Any, running: Any) -> None:
    """At least once on the topics, exactly once in effect: the latest view and the books see one of each record."""
    record_batch = running.door.registry.record_batch
    failing = iter([True])

    class Killed:
        def __getattr__(self, name: str) -> Any:
            return getattr(running.registry.ingest, name)

        def record_batch(self, *arguments: Any, **named: Any) -> None:
            if next(failing, False):
                raise TransientError(Reason.UNAVAILABLE, "The process ends here; try again.")
            record_batch(*arguments, **named)

    running.door.registry = Killed()
    batch = columns_request(Feed.HEALTH, 0, kit.records(Feed.HEALTH, 30))
    client = kit.client(running.address)
    assert refused(lambda: client.exchange(Feed.HEALTH, stream(kit, Feed.HEALTH, batch))).reason is Reason.UNAVAILABLE
    responses = client.exchange(Feed.HEALTH, stream(kit, Feed.HEALTH, batch, close=1))
    assert responses[0].opened.next_batch == 0
    assert not receipts(responses)[0].duplicate
    assert responses[-1].closed.accepted == 30
    subjects = running.subjects()
    assert subjects.height == 60
    assert subjects.unique().height == latest(subjects.lazy()).collect().height == 30


def test_a_known_batch_with_other_content_is_refused(kit: Any, running: Any) -> None:
    client = kit.client(running.address)
    client.exchange(Feed.HEALTH, stream(kit, Feed.HEALTH, columns_request(Feed.HEALTH, 0, kit.records(Feed.HEALTH, 5))))
    other = columns_request(Feed.HEALTH, 0, kit.records(Feed.HEALTH, 5, seed=9))
    error = refused(lambda: client.exchange(Feed.HEALTH, stream(kit, Feed.HEALTH, other)))
    assert error.reason is Reason.BATCH_OUT_OF_ORDER
    assert running.subjects().height == 5


def test_more_than_the_window_without_a_receipt_is_refused(kit: Any, running: Any) -> None:
    """A client that does not wait is stopped; every receipt it got is durable, and it can resume."""
    gate = threading.Event()
    send = running.door.producer.send

    def slow(messages: Any) -> Any:
        gate.wait(20)
        return send(messages)

    running.door.producer.send = slow

    def requests() -> Any:
        yield open_request(STREAM, kit.declaration(Feed.HEALTH))
        for number in range(WINDOW + 3):
            yield columns_request(Feed.HEALTH, number, kit.records(Feed.HEALTH, 5, seed=number))
        gate.set()

    client = kit.client(running.address)
    error = refused(lambda: client.exchange(Feed.HEALTH, requests()))
    assert (type(error), error.reason) == (TransientError, Reason.BUSY)
    opened = client.exchange(Feed.HEALTH, stream(kit, Feed.HEALTH))[0].opened
    assert opened.next_batch == WINDOW
    assert running.subjects().height == 5 * WINDOW


def test_a_client_that_keeps_to_the_window_is_served(kit: Any, running: Any) -> None:
    frames = [kit.records(Feed.HEALTH, 5, seed=n) for n in range(WINDOW)]
    batches = [columns_request(Feed.HEALTH, n, frame) for n, frame in enumerate(frames)]
    responses = kit.client(running.address).exchange(Feed.HEALTH, stream(kit, Feed.HEALTH, *batches, close=WINDOW))
    assert [r.batch for r in receipts(responses)] == list(range(WINDOW))
    assert responses[0].opened.window == WINDOW


def test_a_restarted_server_goes_on_where_the_stream_was(kit: Any, tmp_path: Any) -> None:
    frames = [kit.records(Feed.HEALTH, 20, seed=n) for n in range(3)]
    batches = [columns_request(Feed.HEALTH, n, frame) for n, frame in enumerate(frames)]
    first = kit.start(tmp_path / "data")
    kit.client(first.address).exchange(Feed.HEALTH, stream(kit, Feed.HEALTH, *batches[:2]))
    kit.stop(first)
    second = kit.start(tmp_path / "data")
    responses = kit.client(second.address).exchange(Feed.HEALTH, stream(kit, Feed.HEALTH, batches[2], close=3))
    assert responses[0].opened.next_batch == 2
    assert responses[-1].closed.accepted == second.subjects().height == 60
    kit.stop(second)


def test_a_stream_opened_again_is_served_by_the_newer_call(kit: Any, running: Any) -> None:
    """The older call may be a connection whose client is long gone; it must not publish beside the newer one."""
    older: queue.Queue[Any] = queue.Queue()
    client = kit.client(running.address)
    responses = client.stub.IngestHealth(iter(older.get, None), timeout=60)
    older.put(open_request(STREAM, kit.declaration(Feed.HEALTH)))
    assert next(responses).opened.next_batch == 0
    batch = columns_request(Feed.HEALTH, 0, kit.records(Feed.HEALTH, 5))
    client.exchange(Feed.HEALTH, stream(kit, Feed.HEALTH, batch))
    older.put(columns_request(Feed.HEALTH, 0, kit.records(Feed.HEALTH, 5, seed=8)))
    error = refused(lambda: list(responses))
    older.put(None)
    assert (type(error), error.reason) == (StateError, Reason.OWNERSHIP_LOST)
    assert running.subjects().height == 5


def test_a_stream_closed_too_early_is_incomplete(kit: Any, running: Any) -> None:
    batch = columns_request(Feed.HEALTH, 0, kit.records(Feed.HEALTH, 5))
    error = refused(lambda: kit.client(running.address).exchange(Feed.HEALTH, stream(kit, Feed.HEALTH, batch, close=2)))
    assert error.reason is Reason.STREAM_INCOMPLETE
    assert not running.registry.ingest.streams()[0].completed


def test_a_closed_stream_takes_nothing_more_and_says_so(kit: Any, running: Any) -> None:
    batch = columns_request(Feed.HEALTH, 0, kit.records(Feed.HEALTH, 5))
    client = kit.client(running.address)
    client.exchange(Feed.HEALTH, stream(kit, Feed.HEALTH, batch, close=1))
    responses = client.exchange(Feed.HEALTH, stream(kit, Feed.HEALTH, close=1))
    assert responses[0].opened.completed
    assert responses[-1].closed.accepted == 5
    more = columns_request(Feed.HEALTH, 1, kit.records(Feed.HEALTH, 5, seed=4))
    error = refused(lambda: client.exchange(Feed.HEALTH, stream(kit, Feed.HEALTH, more)))
    assert error.reason is Reason.BATCH_OUT_OF_ORDER


@pytest.mark.parametrize(
    "requests",
    [
        lambda kit: [],
        lambda kit: [columns_request(Feed.HEALTH, 0, kit.records(Feed.HEALTH, 1))],
        lambda kit: [close_request(Feed.HEALTH, 0)],
        lambda kit: [ingest_pb2.HealthIngestRequest()],
        lambda kit: stream(kit, Feed.HEALTH, open_request(STREAM, kit.declaration(Feed.HEALTH))),
    ],
    ids=["nothing", "a batch", "a closing", "an empty message", "a second opening"],
)
def test_a_call_starts_with_its_opening_and_has_one(kit: Any, running: Any, requests: Any) -> None:
    error = refused(lambda: kit.client(running.address).exchange(Feed.HEALTH, requests(kit)))
    assert (type(error), error.reason) == (InputError, Reason.STREAM_NOT_OPENED)


def test_a_stream_id_belongs_to_its_first_declaration(kit: Any, running: Any) -> None:
    client = kit.client(running.address)
    client.exchange(Feed.HEALTH, stream(kit, Feed.HEALTH))
    error = refused(lambda: client.exchange(Feed.HEALTH, stream(kit, Feed.HEALTH, purpose="another purpose")))
    assert (type(error), error.reason) == (StateError, Reason.STREAM_NOT_OPENED)


# --- the feed as a whole -----------------------------------------------------------------------------------------


def test_a_file_in_clear_is_stopped_after_telling_which_fields(kit: Any, running: Any) -> None:
    frame = kit.records(Feed.HEALTH, 40).with_columns(token_surname=pl.lit("SMITH"))
    first, second = columns_request(Feed.HEALTH, 0, frame), columns_request(Feed.HEALTH, 1, frame)
    told: list[Any] = []

    def exchange() -> None:
        for response in kit.client(running.address).stub.IngestHealth(
            iter(stream(kit, Feed.HEALTH, first, second)), timeout=60
        ):
            told.append(response)

    error = refused(exchange)
    assert (type(error), error.reason) == (PolicyError, Reason.FEED_SUSPECT)
    assert len(reasons(receipts(told)[0])) == 40
    assert running.subjects().is_empty()


@pytest.mark.parametrize(("filter_bytes", "why"), [(b"\xff" * 64, "100%"), (b"\x80" + bytes(63), "0%")])
def test_filters_of_another_recipe_stop_the_stream(kit: Any, running: Any, filter_bytes: bytes, why: str) -> None:
    frame = kit.records(Feed.HEALTH, 300).with_columns(filter_surname=pl.lit(filter_bytes))
    error = refused(
        lambda: kit.client(running.address).exchange(
            Feed.HEALTH, stream(kit, Feed.HEALTH, columns_request(Feed.HEALTH, 0, frame))
        )
    )
    assert error.reason is Reason.FEED_SUSPECT
    assert "filter_surname" in error.message
    assert why in error.message
    assert running.subjects().is_empty()


def test_a_column_that_an_extract_lost_stops_the_stream(kit: Any, running: Any) -> None:
    client = kit.client(running.address)
    usual = columns_request(Feed.HEALTH, 0, kit.records(Feed.HEALTH, 1_200))
    client.exchange(Feed.HEALTH, stream(kit, Feed.HEALTH, usual, close=1))
    without = kit.records(Feed.HEALTH, 600, seed=2).drop("token_postcode")
    requests = [
        open_request("stream-0002", kit.declaration(Feed.HEALTH)),
        columns_request(Feed.HEALTH, 0, without),
    ]
    error = refused(lambda: client.exchange(Feed.HEALTH, requests))
    assert error.reason is Reason.FEED_SUSPECT
    assert "token_postcode" in error.message
    assert running.subjects().height == 1_200


# --- failures of ours --------------------------------------------------------------------------------------------


def test_a_failure_of_ours_says_an_incident_and_nothing_else(kit: Any, running: Any) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise ValueError("could not convert 'MRS CANARY' to a number")

    running.door.registry = type("Broken", (), {"__getattr__": lambda *_: fails})()
    error = refused(lambda: kit.client(running.address).exchange(Feed.HEALTH, stream(kit, Feed.HEALTH)))
    assert error.reason is Reason.INTERNAL
    assert "Incident " in error.message
    assert "CANARY" not in error.message
    assert "ValueError" not in error.message


def test_a_stopping_server_finishes_what_it_took_and_refuses_the_rest(kit: Any, tmp_path: Any) -> None:
    running = kit.start(tmp_path / "data")
    gate = threading.Event()
    send = running.door.producer.send

    def slow(messages: Any) -> Any:
        gate.wait(20)
        return send(messages)

    running.door.producer.send = slow
    told: list[Any] = []

    def requests() -> Any:
        yield open_request(STREAM, kit.declaration(Feed.HEALTH))
        yield columns_request(Feed.HEALTH, 0, kit.records(Feed.HEALTH, 5))
        threading.Event().wait(0.5)
        running.door.stop.set()
        gate.set()
        threading.Event().wait(20)

    def exchange() -> None:
        for response in kit.client(running.address).stub.IngestHealth(requests(), timeout=60):
            told.append(response)

    error = refused(exchange)
    assert (type(error), error.reason) == (TransientError, Reason.UNAVAILABLE)
    assert [r.accepted for r in receipts(told)] == [5]
    assert running.subjects().height == 5
    kit.stop(running)
