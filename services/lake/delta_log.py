"""What the deltalake library does not do with a table's log: list the applications, and force a commit to the disk."""

from __future__ import annotations

import json
import os
from pathlib import Path

import polars as pl


def application_ids(table: Path) -> set[str]:
    """Return the ids of all application transactions of a table (the library only answers for an id one knows).

    Read from the last checkpoint and the commits after it, as the Delta protocol lays down for `txn` actions.
    """
    log = table / "_delta_log"
    last = log / "_last_checkpoint"
    since = -1
    ids: set[str] = set()
    if last.exists():
        since = json.loads(last.read_bytes())["version"]
        checkpoint = pl.scan_parquet(log / f"{since:020}.checkpoint.parquet")
        ids.update(checkpoint.select(pl.col("txn").struct.field("appId")).drop_nulls().collect().to_series())
    for commit in log.glob("*.json"):
        if int(commit.stem) > since:
            ids.update(action["txn"]["appId"] for action in _actions(commit) if "txn" in action)
    return ids


def flush(table: Path, version: int) -> None:
    """Force the commit of a version, and the files that it added, to the disk.

    The library leaves that to the operating system. A power cut could then take rows whose topic position, which is
    synced, had already moved past them.
    """
    log = table / "_delta_log"
    commit = log / f"{version:020}.json"
    if not commit.exists():
        return  # nothing was committed, and the version that holds already lives in a checkpoint only
    for action in _actions(commit):
        if "add" in action:
            _sync(table / action["add"]["path"])
    _sync(commit)
    _sync(log)
    _sync(table)


def _actions(commit: Path) -> list[dict[str, dict[str, str]]]:
    return [json.loads(line) for line in commit.read_text(encoding="utf-8").splitlines() if line]


def _sync(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return  # a compaction and a vacuum have already replaced the file, by one that they synced
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
