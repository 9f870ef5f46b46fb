"""Logs as JSON of allowed fields: no value of a record, no text of an exception, whatever is logged."""

from __future__ import annotations

import ast
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import TypeAdapter

from schemas.contracts.records import HealthRecord
from schemas.errors import InputError, Reason
from services.rpc.logging import FIELDS, configure_logging

ROOT = Path(__file__).resolve().parents[2]
CANARY = "9434765919"


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream = io.StringIO()
    configure_logging("DEBUG", stream)
    yield stream
    for handler in list(root.handlers):
        root.removeHandler(handler)
    for handler in before:
        root.addHandler(handler)
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_has_the_template_and_the_allowed_fields(logged: io.StringIO) -> None:
    logging.getLogger("services.ingest.x").info("stream opened", extra={"source": "kmpt.gp", "batch": 3, "ref": CANARY})
    (line,) = lines(logged)
    assert (line["event"], line["source"], line["batch"], line["level"]) == ("stream opened", "kmpt.gp", 3, "INFO")
    assert set(line) == {"at", "level", "logger", "event", "source", "batch"}


def test_small_numbers_reasons_and_topics_are_formatted_in_and_other_text_is_not(logged: io.StringIO) -> None:
    log = logging.getLogger("services.landing.role")
    log.warning("waits: %s", Reason.BUSY)
    log.warning("%s: lost %d of %d", "hwlink.subjects.v1-0", 5, 12)
    log.warning("the value %s", "MRS CANARY")
    log.warning("the number %s", int(CANARY))
    log.warning("the number %d", int(CANARY))
    assert [line["event"] for line in lines(logged)] == [
        "waits: BUSY",
        "hwlink.subjects.v1-0: lost 5 of 12",
        "the value withheld",
        "the number withheld",
        "the number %d",
    ]


def test_a_field_with_a_free_text_is_withheld(logged: io.StringIO) -> None:
    logging.getLogger("services.x").info("opened", extra={"source": "MRS CANARY, 1 High Street"})
    assert lines(logged)[0]["source"] == "withheld"


def canary_failures() -> Iterator[Any]:
    def pydantic() -> None:
        TypeAdapter(int).validate_python(f"x{CANARY}")

    def contract() -> None:
        HealthRecord(subject_ref=CANARY, version=1)

    def polars() -> None:
        pl.Series([CANARY, "x"]).str.to_integer()

    def chained() -> None:
        try:
            int(f"x{CANARY}")
        except ValueError as error:
            raise RuntimeError(CANARY) from error

    def ours() -> None:
        try:
            int(f"x{CANARY}")
        except ValueError:
            raise InputError(Reason.FIELD_INVALID, "mend it") from None

    yield from (pydantic, contract, polars, chained, ours)


@pytest.mark.parametrize("failure", list(canary_failures()), ids=lambda f: f.__name__)
def test_an_exception_is_its_type_reason_and_frames(failure: Any, logged: io.StringIO) -> None:
    try:
        failure()
    except Exception as error:
        kind = type(error).__name__
        logging.getLogger("services.x").exception("failed")
    (line,) = lines(logged)
    assert CANARY not in logged.getvalue()
    assert line["error"]["type"] == kind
    assert any("test_rpc_logging.py" in frame for frame in line["error"]["frames"])
    assert line["error"].get("reason") == ("FIELD_INVALID" if failure.__name__ == "ours" else None)
    assert ("cause" in line["error"]) == (failure.__name__ == "chained")


def test_other_libraries_are_named_and_not_quoted(logged: io.StringIO) -> None:
    logging.getLogger("grpc._server").error("Exception calling application: %s", CANARY)
    logging.getLogger("kafka.conn").debug("Request: %r", CANARY)
    logging.getLogger("elsewhere").warning(f"found {CANARY}")
    assert CANARY not in logged.getvalue()
    assert [line["logger"] for line in lines(logged)] == ["grpc._server", "elsewhere"]


def logging_calls(tree: ast.AST) -> Iterator[ast.Call]:
    names = {"debug", "info", "warning", "error", "exception", "critical"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names:
            owner = ast.unparse(node.func.value)
            if owner in {"log", "logger", "logging"} or owner.startswith("logging.getLogger"):
                yield node


def test_every_log_call_has_a_constant_template_and_known_fields() -> None:
    """A text built before the call would pass every filter; a field that is not allowed would be lost in silence."""
    calls = 0
    for path in (ROOT / "services").rglob("*.py"):
        for call in logging_calls(ast.parse(path.read_text("utf-8"))):
            calls += 1
            where = f"{path.relative_to(ROOT)}:{call.lineno}"
            template = call.args[0]
            assert isinstance(template, ast.Constant), where
            assert isinstance(template.value, str), where
            for keyword in call.keywords:
                if keyword.arg == "extra" and isinstance(keyword.value, ast.Dict):
                    for key in keyword.value.keys:
                        assert isinstance(key, ast.Constant), where
                        assert key.value in FIELDS, where
    assert calls
