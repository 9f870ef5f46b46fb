"""The LinkageService as something a server can offer; the review role runs it away from the query service's process."""

from __future__ import annotations

import grpc

from schemas.disclosure import DisclosurePolicy
from services.pb.hwlink.v1 import linkage_pb2, linkage_pb2_grpc
from services.registry import Registry
from services.review.service import LinkageService
from services.rpc.server import Service


def linkage_service(registry: Registry, policy: DisclosurePolicy) -> Service:
    """Return the LinkageService, ready to be added to a server."""
    servicer = LinkageService(registry, policy)

    def add(server: grpc.Server) -> None:
        linkage_pb2_grpc.add_LinkageServiceServicer_to_server(servicer, server)

    return Service(linkage_pb2.DESCRIPTOR.services_by_name["LinkageService"].full_name, add)
