"""The AdminService as something a server can offer; it runs beside the LinkageService, in the review role's process."""

from __future__ import annotations

import grpc

from services.admin.service import AdminService
from services.bus import Bus
from services.lake import Zone
from services.pb.hwlink.v1 import admin_pb2, admin_pb2_grpc
from services.registry import Registry
from services.rpc.server import Service


def admin_service(bus: Bus, registry: Registry, linkage: Zone, content: Zone) -> Service:
    """Return the AdminService, ready to be added to a server."""
    servicer = AdminService(bus, registry, linkage, content)

    def add(server: grpc.Server) -> None:
        admin_pb2_grpc.add_AdminServiceServicer_to_server(servicer, server)

    return Service(admin_pb2.DESCRIPTOR.services_by_name["AdminService"].full_name, add)
