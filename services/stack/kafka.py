"""A real Apache Kafka broker: given, in a container, or from Maven Central's jars on this machine's Java."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Final

from services.stack import containers
from services.stack.jars import HERE, jars, version
from services.stack.process import ServerProcess, in_new_folder
from services.stack.server import OwnServer, RungUnusableError, Server, climb, free_port, given

VARIABLE: Final = "STACK_KAFKA_URL"
"""Names a broker that is there already: kafka://HOST:PORT[,HOST:PORT...]."""
_JAVA: Final = 17
_CLUSTER_ID: Final = "aHdsaW5rLWtyYWZ0LTAwMQ"
_FORMAT_S: Final = 120.0
_REMEDY: Final = (
    f"Start a Docker engine, or install Java {_JAVA} or later and Maven, or name a broker in {VARIABLE} "
    "(kafka://HOST:PORT)."
)


def find_or_start_kafka(environ: Mapping[str, str] = os.environ) -> Server:
    """Return the broker named in `environ`, or start one; StateError says what was tried and what to do."""
    return given(VARIABLE, "kafka", environ) or start_kafka()


def start_kafka(properties: Mapping[str, str] | None = None) -> OwnServer:
    """Start a broker of one's own, with `properties` over those of `deploy/kafka/server.properties`.

    It needs no password, has one copy of everything and makes no topic by itself. StateError UNAVAILABLE says what was
    tried and what to do.
    """
    extra = dict(properties or {})
    rungs = [
        ("a container", lambda: containers.kafka(extra)),
        ("Apache Kafka's jars", lambda: _from_jars(extra)),
    ]
    return climb("Kafka broker", rungs, _REMEDY)


def _from_jars(extra: Mapping[str, str]) -> OwnServer:
    java = _java()
    name = f"Apache Kafka {version()} on this machine"
    classpath = f"{jars()}/*"
    return in_new_folder("kafka", lambda folder: _start(java, classpath, name, folder, extra))


def _start(java: str, classpath: str, name: str, folder: Path, extra: Mapping[str, str]) -> OwnServer:
    port = free_port()
    filled = Template((HERE / "server.properties").read_text("utf-8")).substitute(
        client_port=port, controller_port=free_port(), data=folder / "data"
    )
    properties = folder / "server.properties"
    # Of a property that stands twice, Java takes the last.
    properties.write_text(filled + "".join(f"{key}={value}\n" for key, value in extra.items()), "utf-8")
    # Nothing outside the folder: the compression libraries unpack themselves into the JVM's temporary folder.
    jvm = [java, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", f"-Djava.io.tmpdir={folder}"]
    log = f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"
    _format([*jvm, log, "-cp", classpath], properties)
    return ServerProcess(
        f"kafka://127.0.0.1:{port}",
        name,
        command=[*jvm, "-Xmx768m", log, "-cp", classpath, "kafka.Kafka", str(properties)],
        folder=folder,
        ready_line="Kafka Server started",
    )


def _format(jvm: list[str], properties: Path) -> None:
    tool = ["kafka.tools.StorageTool", "format", "--standalone", "-t", _CLUSTER_ID, "-c", str(properties)]
    try:
        done = subprocess.run(
            [*jvm, *tool], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=_FORMAT_S
        )
    except subprocess.TimeoutExpired:
        raise RungUnusableError("its storage was not formatted in time") from None
    if done.returncode:
        raise RungUnusableError(f"its storage could not be formatted: {(done.stdout + done.stderr).strip()[-300:]}")


def _java() -> str:
    home = os.environ.get("JAVA_HOME")
    candidates = [f"{home}/bin/java"] if home else []
    java = next(filter(None, map(shutil.which, [*candidates, "java"])), None)
    if java is None:
        raise RungUnusableError("there is no Java on the PATH or in JAVA_HOME")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    if found is None or int(found[1]) < _JAVA:
        raise RungUnusableError(f"the Java here is not version {_JAVA} or later")
    return java
