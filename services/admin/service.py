"""The AdminService over gRPC: positions, books and snapshots; never a record."""

from __future__ import annotations

import json

import grpc

from schemas.contracts.base import Feed
from services.admin.reconcile import StreamReconciliation, reconcile
from services.admin.status import RoleStatus, drained, drift_alarms, status
from services.bus import Bus
from services.lake import Zone
from services.pb.hwlink.v1 import admin_pb2, admin_pb2_grpc, core_pb2
from services.registry import Registry, Snapshot
from services.rpc.pages import Pages

_FEEDS = {Feed.HEALTH: core_pb2.FEED_HEALTH, Feed.WELFARE: core_pb2.FEED_WELFARE}


class AdminService(admin_pb2_grpc.AdminServiceServicer):
    """Answers operators. Errors pass through the server's interceptor."""

    def __init__(self, bus: Bus, registry: Registry, linkage: Zone, content: Zone) -> None:
        self._bus = bus
        self._registry = registry
        self._linkage = linkage
        self._content = content
        self._pages = Pages()

    def Status(self, request: admin_pb2.StatusRequest, context: grpc.ServicerContext) -> admin_pb2.StatusResponse:
        """See admin.proto."""
        roles = status(self._bus, self._registry, self._content)
        page, token = self._pages.page(request, sorted(roles, key=lambda role: role.role))
        return admin_pb2.StatusResponse(
            roles=[_role(role) for role in page],
            drained=drained(roles),
            next_page_token=token,
            drift=[admin_pb2.DriftAlarm(**vars(alarm)) for alarm in drift_alarms(self._registry)],
        )

    def Reconcile(
        self, request: admin_pb2.ReconcileRequest, context: grpc.ServicerContext
    ) -> admin_pb2.ReconcileResponse:
        """See admin.proto."""
        books = reconcile(self._registry.ingest, self._linkage, self._content)
        asked = [row for row in books if request.source in ("", row.source)]
        page, token = self._pages.page(request, asked)
        return admin_pb2.ReconcileResponse(
            streams=[_books(row) for row in page], agrees=all(row.agrees for row in asked), next_page_token=token
        )

    def ListSnapshots(
        self, request: admin_pb2.ListSnapshotsRequest, context: grpc.ServicerContext
    ) -> admin_pb2.ListSnapshotsResponse:
        """See admin.proto."""
        page, token = self._pages.page(request, self._registry.features.snapshots())
        return admin_pb2.ListSnapshotsResponse(snapshots=[_snapshot(s) for s in page], next_page_token=token)


def _role(role: RoleStatus) -> admin_pb2.RoleStatus:
    return admin_pb2.RoleStatus(
        role=role.role,
        lag_messages=role.lag_messages,
        positions=[
            admin_pb2.PartitionPosition(
                topic=p.topic, partition=p.partition, next_offset=p.next_offset, end_offset=p.end_offset
            )
            for p in role.positions
        ],
    )


def _books(row: StreamReconciliation) -> admin_pb2.StreamReconciliation:
    return admin_pb2.StreamReconciliation(
        stream_id=row.stream_id,
        source=row.source,
        feed=_FEEDS[row.feed],
        completed=row.completed,
        sent=row.sent,
        accepted=row.accepted,
        refused=row.refused,
        landed=row.landed,
        suppressed=row.suppressed,
        duplicate=row.duplicate,
        agrees=row.agrees,
    )


def _snapshot(snapshot: Snapshot) -> admin_pb2.Snapshot:
    return admin_pb2.Snapshot(
        snapshot_id=snapshot.snapshot_id,
        published_at_ms=snapshot.published_at_ms,
        as_of=snapshot.as_of.isoformat(),
        model_id=snapshot.model_id or "",
        people=json.loads(snapshot.summary_json).get("persons", 0),
    )
