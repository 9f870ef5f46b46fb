"""What a measurement ran on: enough to judge a figure by, and nothing that names a machine or a folder."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
LIBRARIES = (
    "cryptography",
    "deltalake",
    "grpcio",
    "numpy",
    "pandas",
    "polars",
    "protobuf",
    "pyarrow",
    "pydantic",
    "recordlinkage",
    "scipy",
    "SQLAlchemy",
)


def machine() -> dict[str, Any]:
    """Return the machine's facts. The load average (1 minute) says whether anything else was running at the start."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load_average_at_start": round(os.getloadavg()[0], 2),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": {**{name.lower(): version(name) for name in LIBRARIES}, "sqlite": sqlite3.sqlite_version},
    }


def commit() -> str | None:
    """Return the commit that is measured, with `+` where the working tree differs from it; None without git."""
    try:
        head, changes = (
            subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
            for words in (
                ("rev-parse", "--short=12", "HEAD"),
                ("status", "--porcelain", "--untracked-files=no", "--", "schemas", "linkage", "services"),
            )
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return head + ("+" if changes else "")


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
