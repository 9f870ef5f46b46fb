"""Real servers on any machine: an Apache Kafka broker and a PostgreSQL server, found or started.

For development, tests and the demo; a deployment brings its own. What is started ends with the process that started it.
"""

from __future__ import annotations

from services.stack.kafka import find_or_start_kafka, start_kafka
from services.stack.postgresql import find_or_start_postgresql, start_postgresql
from services.stack.server import OwnServer, Server

__all__ = [
    "OwnServer",
    "Server",
    "find_or_start_kafka",
    "find_or_start_postgresql",
    "start_kafka",
    "start_postgresql",
]
