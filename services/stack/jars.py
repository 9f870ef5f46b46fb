"""Apache Kafka's jars, from Maven Central, kept in the user's cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from services.stack.server import RungUnusableError

HERE: Final = Path(__file__).parents[2] / "deploy" / "kafka"
"""The pom and the templates of the broker's configuration: part of a checkout, not of an installed package."""
_POM: Final = HERE / "pom.xml"
_FETCH_S: Final = 900.0
_LOG_LINES: Final = 5


def version() -> str:
    """Return the version of Apache Kafka that `deploy/kafka/pom.xml` names; RungUnusableError outside a checkout."""
    if not _POM.exists():
        raise RungUnusableError("deploy/kafka/pom.xml is not here; it is part of a checkout")
    found = ElementTree.parse(_POM).findtext(".//{http://maven.apache.org/POM/4.0.0}kafka.version")  # noqa: S314 - ours
    return str(found)


def jars() -> Path:
    """Return the folder with the jars; fetched by Maven the first time, which needs the network and a minute.

    The folder appears under its final name only when it is whole. Of several processes that want it at once, one
    fetches and the others wait. A changed pom gets a folder of its own. RungUnusableError says what is missing.
    """
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hwlink" / "kafka"
    folder = root / f"{version()}-{hashlib.sha256(_POM.read_bytes()).hexdigest()[:8]}"
    if folder.exists():
        return folder
    try:
        root.mkdir(parents=True, exist_ok=True)
        with (root / "fetch.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                _fetch(root, folder)
    except OSError as error:
        raise RungUnusableError(f"the cache for its jars cannot be written ({error.strerror})") from None
    return folder


def _fetch(root: Path, folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise RungUnusableError("its jars are not here, and Maven (mvn) to fetch them is not on the PATH")
    with tempfile.TemporaryDirectory(prefix="fetching-", dir=root) as part:
        try:
            done = subprocess.run(
                [
                    *(maven, "--batch-mode", "--quiet", "--strict-checksums", "--file", str(_POM)),
                    *("dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={part}/jars"),
                ],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=_FETCH_S,
            )
        except subprocess.TimeoutExpired:
            raise RungUnusableError("Maven did not fetch its jars in time") from None
        if done.returncode:
            said = " | ".join((done.stdout + done.stderr).splitlines()[:_LOG_LINES])
            raise RungUnusableError(f"Maven could not fetch its jars: {said}")
        Path(part, "jars").rename(folder)
