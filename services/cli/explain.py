"""`hwlink explain`: why two subjects are one person or are not, term by term, of a service or of a finished run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from services.link.explain import ExplainedPair
    from services.pb.hwlink.v1 import core_pb2, linkage_pb2

DEFAULT_ADDRESS = "127.0.0.1:7403"
_LEAST_COLUMNS = 120


def explain(
    left: Annotated[str, typer.Argument(help="One subject, as SOURCE/REF.", metavar="LEFT")],
    right: Annotated[str, typer.Argument(help="The other subject, as SOURCE/REF.", metavar="RIGHT")],
    to: Annotated[str, typer.Option("--to", help="Review server to ask.", metavar="HOST:PORT")] = DEFAULT_ADDRESS,
    linked: Annotated[
        Path | None,
        typer.Option("--linked", help="Explain a pair of a finished `hwlink link` instead.", metavar="DIR"),
    ] = None,
    purpose: Annotated[str, typer.Option(help="Id of the purpose under which you ask a server.")] = "linkage-quality",
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Say term by term why two subjects are one person, or are not. A server audits every use."""
    report = _asked(to, purpose, left, right) if linked is None else _read(linked, left, right)
    if as_json:
        typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
        return
    if report["evidence"] is not None:
        print_evidence(report["evidence"])
    if report["path"]:
        typer.echo(f"They are joined by {len(report['path'])} links, by way of others:")
    for number, link in enumerate(report["path"], start=1):
        typer.echo("")
        typer.echo(f"link {number}" + (f": {link['left']} and {link['right']}" if "left" in link else ""))
        print_evidence(link)
    typer.echo("They are one person now." if report["same_person"] else "They are not one person now.")


def message_evidence(evidence: linkage_pb2.PairEvidence) -> dict[str, Any]:
    """Return what a server told of a pair, as it is printed and reported as JSON."""
    return {
        "fields": [
            {
                "name": field.name,
                "level": field.level,
                "m": field.m if field.HasField("m") else None,
                "u": field.u if field.HasField("u") else None,
                "weight_bits": field.weight_bits,
                "running_bits": field.running_bits,
                "rarity": enum_name(field, "rarity"),
            }
            for field in evidence.fields
        ],
        "prior_bits": evidence.prior_bits,
        "weight_bits": evidence.weight_bits,
        "probability": evidence.probability,
        "guard": evidence.guard or None,
        "guard_reason": evidence.guard_reason or None,
        "decision": enum_name(evidence, "decision"),
        "because": evidence.because,
        "because_reason": evidence.because_reason,
        "thresholds": {
            "link_probability": evidence.thresholds.link_probability,
            "review_probability": evidence.thresholds.review_probability,
            "margin_bits": evidence.thresholds.margin_bits,
        },
        "model_id": evidence.model_id,
    }


def enum_name(message: Any, field: str) -> str | None:
    """Return an enum field's value as people say it, None where it is unspecified."""
    number = getattr(message, field)
    enum = message.DESCRIPTOR.fields_by_name[field].enum_type
    name: str = enum.values_by_number[number].name
    # Every value begins with its enum's name: LINK_DECISION_REVIEW of LinkDecision.
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return None if number == 0 else name.removeprefix(prefix).lower()


def print_evidence(evidence: dict[str, Any]) -> None:
    """Print a pair's evidence as a table with the running total, and what was decided on it."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = _LEAST_COLUMNS  # a table in a file or a pipe is not cut
    table = Table("term", "level", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("m", "u", "bits", "total"):
        table.add_column(heading, justify="right")
    table.add_column("value is")
    table.add_row("prior", "", "", "", _bits(evidence["prior_bits"]), _bits(evidence["prior_bits"]))
    for field in evidence["fields"]:
        m, u = ("" if field[name] is None else f"{field[name]:.3g}" for name in ("m", "u"))
        bits, total = _bits(field["weight_bits"]), _bits(field["running_bits"])
        table.add_row(field["name"], field["level"], m, u, bits, total, field["rarity"] or "")
    if evidence["fields"]:
        console.print(table)
    for line in _lines(evidence):
        typer.echo(line)


def _bits(bits: float) -> str:
    return f"{round(bits, 1) + 0.0:+.1f}"  # adding 0 takes the sign from -0.0


def _lines(evidence: dict[str, Any]) -> Iterator[str]:
    thresholds = evidence["thresholds"]
    yield f"{evidence['decision']}, probability about {evidence['probability']:.4g}. {evidence['because_reason']}"
    if evidence["guard"]:
        yield f"guard {evidence['guard']}: {evidence['guard_reason']}"
    if evidence["model_id"]:
        yield (
            f"linked from {thresholds['link_probability']:g}, reviewed from {thresholds['review_probability']:g}, "
            f"rivals at least {thresholds['margin_bits']:g} bit(s) behind; model {evidence['model_id']}"
        )


def _asked(to: str, purpose: str, left: str, right: str) -> dict[str, Any]:
    from services.pb.hwlink.v1 import linkage_pb2, linkage_pb2_grpc
    from services.rpc.client import call, open_channel

    request = linkage_pb2.ExplainRequest(purpose=purpose, left=_subject(left), right=_subject(right))
    with open_channel(to) as channel:
        response = call(linkage_pb2_grpc.LinkageServiceStub(channel).Explain, request)
    return {
        "same_person": response.same_person,
        "evidence": message_evidence(response.evidence) if response.HasField("evidence") else None,
        "path": [message_evidence(link) for link in response.path.links],
    }


def _read(folder: Path, left: str, right: str) -> dict[str, Any]:
    from services.link.evidence import read_run
    from services.link.explain import explain_run

    run = read_run(folder)
    _subject(left)
    _subject(right)
    explained = explain_run(run, left, right)
    thresholds = run.model.policy.model_dump(include={"link_probability", "review_probability", "margin_bits"})
    return {
        "same_person": explained.same_person,
        "evidence": None if explained.pair is None else _run_evidence(explained.pair, thresholds),
        "path": [
            {"left": link.left, "right": link.right, **_run_evidence(link, thresholds)} for link in explained.path
        ],
    }


def _run_evidence(explained: ExplainedPair, thresholds: dict[str, float]) -> dict[str, Any]:
    """Return a run's pair in the shape of `message_evidence`, with exact numbers."""
    from dataclasses import asdict

    from linkage.reason import WORDS, guard_words

    prior, *fields = explained.terms
    return {
        "fields": [{**asdict(term), "rarity": None} for term in fields],
        "prior_bits": prior.weight_bits,
        "weight_bits": sum(term.weight_bits for term in fields),
        "probability": explained.pair.probability,
        "guard": explained.pair.guard,
        "guard_reason": guard_words(explained.pair.guard) or None,
        "decision": explained.pair.decision.value,
        "because": explained.because.value,
        "because_reason": WORDS[explained.because],
        "thresholds": thresholds,
        "model_id": explained.pair.model_id,
    }


def _subject(text: str) -> core_pb2.SubjectKey:
    from schemas.errors import InputError, Reason
    from services.pb.hwlink.v1 import core_pb2

    source, slash, reference = text.rpartition("/")
    if not slash or not source or not reference:
        raise InputError(
            Reason.OPTION_INVALID, "Name a subject as SOURCE/REF: its source, and its keyed reference there."
        )
    return core_pb2.SubjectKey(source=source, subject_ref=reference)
