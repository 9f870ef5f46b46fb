"""The review role: one gRPC server on an address of its own, away from the query service's process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

import grpc

from schemas.disclosure import DisclosurePolicy
from services.pb.hwlink.v1 import linkage_pb2, linkage_pb2_grpc
from services.registry import Registry
from services.review.service import LinkageService
from services.rpc.server import RpcServer, Service

_TICK_S = 0.5

log = logging.getLogger(__name__)


def linkage_service(registry: Registry, policy: DisclosurePolicy) -> Service:
    """Return the LinkageService, ready to be added to a server."""
    servicer = LinkageService(registry, policy)

    def add(server: grpc.Server) -> None:
        linkage_pb2_grpc.add_LinkageServiceServicer_to_server(servicer, server)

    return Service(linkage_pb2.DESCRIPTOR.services_by_name["LinkageService"].full_name, add)


def run(address: str, services: Sequence[Service], stop: threading.Event) -> None:
    """Serve on `address` until `stop` is set, and then let running calls end.

    Raises StateError PORT_IN_USE when something else listens there.
    """
    server = RpcServer(address, services)
    server.start()
    log.info("serving", extra={"role": "review", "address": server.address})
    try:
        while not stop.wait(_TICK_S):
            pass
    finally:
        server.stop()
