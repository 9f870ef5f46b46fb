"""`hwlink report`: one HTML page on how files were linked, or on how well a service links."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from services.pb.hwlink.v1 import core_pb2, linkage_pb2
    from services.report.service import ServiceQuality, ToldShare


def register(app: typer.Typer) -> None:
    """Add the command `report`."""
    app.command("report")(report)


def report(
    out: Annotated[Path, typer.Argument(help="HTML file to write.", metavar="OUT.html")],
    linked: Annotated[
        Path | None, typer.Option("--linked", help="Report on a finished `hwlink link`.", metavar="DIR")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", help="Report on a service: its review server.", metavar="HOST:PORT")
    ] = None,
    purpose: Annotated[str, typer.Option(help="Id of the purpose under which you ask a server.")] = "linkage-quality",
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Write a page on a finished run (counts, quality, pairs explained, the model) or on a service (aggregates alone).

    The page loads nothing from elsewhere and names nobody.
    """
    from schemas.errors import InputError, Reason

    if (linked is None) == (to is None):
        raise InputError(
            Reason.OPTION_INVALID, "Name what to report on: the folder of a run with --linked, or a service with --to."
        )
    model_id, page = _of_run(linked) if linked is not None else _of_service(str(to), purpose)
    try:
        out.write_text(page, "utf-8")
    except OSError as error:
        raise InputError(
            Reason.OPTION_INVALID, f"{out.name} cannot be written ({error.strerror}); name another place."
        ) from None
    size = len(page.encode())
    written = {"path": str(out), "bytes": size, "model_id": model_id}
    typer.echo(json.dumps(written) if as_json else f"wrote {out} ({size // 1024:,} KiB)")


def _of_run(folder: Path) -> tuple[str, str]:
    """Return the model's id and the page."""
    from schemas.disclosure import shipped_policy
    from services.link.evidence import read_run
    from services.report import FinishedRun, page_of_run

    run = read_run(folder)
    return run.model.model_id, page_of_run(FinishedRun(run.summary, run.model, run.evidence), shipped_policy())


def _of_service(to: str, purpose: str) -> tuple[str, str]:
    from services.report.service import page_of_service

    told = _asked(to, purpose)
    return told.model_id, page_of_service(told)


def _asked(to: str, purpose: str) -> ServiceQuality:
    """Return all pages of a service's quality report."""
    from services.cli.explain import enum_name
    from services.pb.hwlink.v1 import linkage_pb2, linkage_pb2_grpc
    from services.report.service import ServiceQuality, ToldGroup, ToldThreshold
    from services.rpc.client import call, open_channel

    groups: list[ToldGroup] = []
    request = linkage_pb2.QualityRequest(purpose=purpose)
    with open_channel(to) as channel:
        stub = linkage_pb2_grpc.LinkageServiceStub(channel)
        while True:
            response = call(stub.Quality, request)
            groups += [
                ToldGroup(
                    feed=enum_name(group, "feed") or "",
                    group=group.group,
                    subjects=_count(group.subjects),
                    linked=_count(group.linked),
                    precision=_share(group.precision),
                    recall=_share(group.recall),
                    unlinkable_rate=group.unlinkable_rate if group.HasField("unlinkable_rate") else None,
                )
                for group in response.groups
            ]
            thresholds = [
                ToldThreshold(
                    name=at.label,
                    link_probability=at.link_probability,
                    links_ratio=at.links_ratio if at.HasField("links_ratio") else None,
                    precision=_share(at.precision),
                    recall=_share(at.recall),
                )
                for at in response.thresholds
            ]
            if not response.next_page_token:
                break
            request.page_token = response.next_page_token
    return ServiceQuality(
        groups, response.snapshot_id, response.model_id, response.policy_id, response.reviews_per_10000, thresholds
    )


def _count(count: core_pb2.ReleasedCount) -> int | None:
    return count.value if count.HasField("value") else None


def _share(estimate: linkage_pb2.Estimate) -> ToldShare:
    from services.report.service import ToldShare

    known = {name: getattr(estimate, name) for name in ("value", "low", "high") if estimate.HasField(name)}
    return ToldShare(known.get("value"), known.get("low"), known.get("high"))
