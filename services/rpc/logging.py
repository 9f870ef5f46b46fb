"""The one log handler: a JSON object a line, of fields from an allow-list, without any exception's message.

Why so strict: pydantic, Polars and pandas write the offending value into their messages, grpc quotes what a handler
raised, and kafka-python logs whole requests at DEBUG. So of our own records only the constant template is written, with
small numbers, reasons and topics formatted into it and nothing else; of other libraries' records not even that.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TextIO

from schemas.errors import HwlinkError

FIELDS: Final = frozenset(
    {
        "accepted", "address", "agreement_id", "attempt", "batch", "count", "delay_s", "duplicate", "epoch",
        "exit_code", "feed", "field", "incident", "key_epoch", "kind", "lag", "method", "model_id", "offset",
        "partition", "pid", "position", "reason", "refused", "role", "rows", "seconds", "sequence", "shard",
        "snapshot_id", "source", "stream_id", "table", "topic", "version", "withdrawn",
    }
)  # fmt: skip
"""What a record may carry in `extra`. None of them may hold a record's value."""

_SAFE_TEXT: Final = re.compile(r"[A-Za-z0-9._:/\-\[\]]{1,128}")
_TOPIC: Final = re.compile(r"hwlink\.[a-z0-9.-]{1,80}")
_SMALL: Final = 10**8
_WITHHELD: Final = "withheld"
_OURS: Final = ("services", "schemas", "linkage")
_ROOT: Final = Path(__file__).resolve().parents[2]
_DEEPEST_CAUSE: Final = 5
_MOST_FRAMES: Final = 30


class JsonFormatter(logging.Formatter):
    """Formats a record as one JSON object: `at, level, logger, event`, allowed fields, and `error` if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
        }
        if record.name.partition(".")[0] in _OURS:
            line["event"] = _event(record)
            line.update({name: _safe(value) for name, value in vars(record).items() if name in FIELDS})
        else:
            line["event"] = f"{record.module}:{record.lineno}"
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = error_facts(record.exc_info[1])
        return json.dumps(line)


def error_facts(error: BaseException) -> dict[str, Any]:
    """Return what may be said of an exception: type, reason if it is ours, frames, and the same of its causes."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and len(chain) < _DEEPEST_CAUSE:
        chain.append(current)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    facts: dict[str, Any] = {}
    for one in reversed(chain):
        outer: dict[str, Any] = {"type": type(one).__name__, "frames": _frames(one.__traceback__)}
        if isinstance(one, HwlinkError):
            outer["reason"] = one.reason.value
        if facts:
            outer["cause"] = facts
        facts = outer
    return facts


def configure_logging(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Make the JSON handler the only one of the root logger, on `stream` (standard error)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    # These write payloads at DEBUG; whatever the level, their chatter is not ours to keep.
    for name in ("alembic", "asyncio", "grpc", "kafka", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _event(record: logging.LogRecord) -> str:
    if not isinstance(record.msg, str):
        return type(record.msg).__name__
    if not isinstance(record.args, tuple) or not record.args:
        return record.msg
    try:
        return record.msg % tuple(_argument(value) for value in record.args)
    except (TypeError, ValueError):  # a number's place, and what was given may not be shown
        return record.msg


def _argument(value: Any) -> Any:
    """Return what may be formatted into a template: an identifier is text, or an integer of nine or ten digits."""
    if isinstance(value, bool | float | StrEnum) or (isinstance(value, int) and abs(value) < _SMALL):
        return value
    return value if isinstance(value, str) and _TOPIC.fullmatch(value) else _WITHHELD


def _safe(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if _SAFE_TEXT.fullmatch(text) else _WITHHELD


def _frames(trace: TracebackType | None) -> list[str]:
    frames = []
    for frame in traceback.extract_tb(trace)[-_MOST_FRAMES:]:
        path = Path(frame.filename)
        shown = path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else Path(*path.parts[-2:])
        frames.append(f"{shown}:{frame.lineno} in {frame.name}")
    return frames
