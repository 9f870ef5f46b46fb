"""`hwlink review` and `hwlink explain`: uncertain pairs decided blind, links explained, quality reported."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from services.pb.hwlink.v1 import core_pb2, linkage_pb2, linkage_pb2_grpc

DEFAULT_ADDRESS = "127.0.0.1:7403"
_WITHHELD = "*"

To = Annotated[str, typer.Option("--to", help="Review server to ask.", metavar="HOST:PORT")]
Purpose = Annotated[str, typer.Option(help="Id of the purpose under which you ask.")]
AsJson = Annotated[bool, typer.Option("--json", help="Report as JSON.")]
_QUALITY_PURPOSE = "linkage-quality"


class Verdict(StrEnum):
    """What a reviewer says of a pair."""

    SAME = "same"
    DIFFERENT = "different"
    UNSURE = "unsure"


def register(app: typer.Typer) -> None:
    """Add the command group `review` and the command `explain`."""
    group = typer.Typer(help="Settle uncertain pairs blind, and see how good the linkage is.", no_args_is_help=True)
    group.command("next")(review_next)
    group.command("decide")(review_decide)
    group.command("quality")(review_quality)
    app.add_typer(group, name="review")
    app.command("explain")(explain)


def review_next(
    to: To = DEFAULT_ADDRESS,
    purpose: Purpose = _QUALITY_PURPOSE,
    after: Annotated[
        str, typer.Option(help="Token of the last answer: leaves that review undecided and goes on.", metavar="TOKEN")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Show the open review whose decision would tell most: levels of agreement and weights, never a value."""
    from services.pb.hwlink.v1 import linkage_pb2

    response = _ask(to, lambda stub: stub.NextReview, linkage_pb2.NextReviewRequest(purpose=purpose, page_token=after))
    has_review = response.HasField("review")
    if as_json:
        review = {"review_id": response.review.review_id, "evidence": _evidence(response.review.evidence)}
        _print_json(
            {
                "review": review if has_review else None,
                "open_reviews": response.open_reviews,
                "next_page_token": response.next_page_token or None,
            }
        )
        return
    if not has_review:
        typer.echo(f"Nothing further to review; {response.open_reviews:,} open.")
        return
    _print_evidence(response.review.evidence)
    typer.echo(f"{response.open_reviews:,} open, this one included. To settle it:")
    typer.echo(f"  hwlink review decide {response.review.review_id} same|different|unsure")
    if response.next_page_token:
        typer.echo(f"To leave it for later:\n  hwlink review next --after {response.next_page_token}")


def review_decide(
    review_id: Annotated[str, typer.Argument(help="The review's id, from `hwlink review next`.", metavar="ID")],
    verdict: Annotated[Verdict, typer.Argument(help="What you say: one person, two, or it cannot be told.")],
    to: To = DEFAULT_ADDRESS,
    purpose: Purpose = _QUALITY_PURPOSE,
    as_json: AsJson = False,
) -> None:
    """Settle a review. The decision outlives retraining; it is audited, and never used as a label."""
    from services.pb.hwlink.v1 import linkage_pb2

    said = {
        Verdict.SAME: linkage_pb2.REVIEW_VERDICT_SAME,
        Verdict.DIFFERENT: linkage_pb2.REVIEW_VERDICT_DIFFERENT,
        Verdict.UNSURE: linkage_pb2.REVIEW_VERDICT_UNSURE,
    }[verdict]
    request = linkage_pb2.DecideReviewRequest(purpose=purpose, review_id=review_id, verdict=said)
    response = _ask(to, lambda stub: stub.DecideReview, request)
    if as_json:
        _print_json({"verdict": verdict.value, "open_reviews": response.open_reviews})
        return
    typer.echo(f"recorded: {verdict.value}; {response.open_reviews:,} open")


def review_quality(
    to: To = DEFAULT_ADDRESS,
    purpose: Purpose = _QUALITY_PURPOSE,
    snapshot: Annotated[str | None, typer.Option(help="Snapshot to ask; without it, the newest.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show how many people of each feed are linked with the other, and how right those links are expected to be."""
    from services.pb.hwlink.v1 import linkage_pb2

    response = _ask(to, lambda stub: stub.Quality, linkage_pb2.QualityRequest(purpose=purpose, snapshot_id=snapshot))
    report = {
        "snapshot_id": response.snapshot_id,
        "model_id": response.model_id,
        "policy_id": response.policy_id,
        "reviews_per_10000": response.reviews_per_10000,
        "feeds": [
            {
                "feed": _name(group, "feed"),
                "people": _told(group.subjects),
                "linked": _told(group.linked),
                "expected_precision": group.precision.value if group.precision.HasField("value") else None,
            }
            for group in response.groups
        ],
    }
    if as_json:
        _print_json(report)
        return
    for feed in report["feeds"]:
        precision = feed["expected_precision"]
        typer.echo(
            f"{feed['feed']}: {_shown(feed['people'])} people, {_shown(feed['linked'])} linked, expected precision "
            f"{'not estimable' if precision is None else precision}"
        )
    typer.echo(
        f"{response.reviews_per_10000:g} reviews for each 10,000 subjects; recall is not estimable without labels"
    )
    typer.echo(
        f"Snapshot {response.snapshot_id}, model {response.model_id or 'none'}, policy {response.policy_id}. "
        f"{_WITHHELD} is withheld; numbers are rounded."
    )


def explain(
    left: Annotated[str, typer.Argument(help="One subject, as SOURCE/REF.", metavar="LEFT")],
    right: Annotated[str, typer.Argument(help="The other subject, as SOURCE/REF.", metavar="RIGHT")],
    to: To = DEFAULT_ADDRESS,
    purpose: Purpose = _QUALITY_PURPOSE,
    as_json: AsJson = False,
) -> None:
    """Say weight by weight why two subjects are one person, or are not. Every use is audited."""
    from services.pb.hwlink.v1 import linkage_pb2

    request = linkage_pb2.ExplainRequest(purpose=purpose, left=_subject(left), right=_subject(right))
    response = _ask(to, lambda stub: stub.Explain, request)
    if as_json:
        _print_json({"same_person": response.same_person, "evidence": _evidence(response.evidence)})
        return
    _print_evidence(response.evidence)
    typer.echo("They are one person now." if response.same_person else "They are not one person now.")


def _ask(to: str, method: Callable[[linkage_pb2_grpc.LinkageServiceStub], Any], request: Any) -> Any:
    from services.pb.hwlink.v1 import linkage_pb2_grpc
    from services.rpc.client import call, open_channel

    with open_channel(to) as channel:
        return call(method(linkage_pb2_grpc.LinkageServiceStub(channel)), request)


def _subject(text: str) -> core_pb2.SubjectKey:
    from schemas.errors import InputError, Reason
    from services.pb.hwlink.v1 import core_pb2

    source, slash, reference = text.rpartition("/")
    if not slash or not source or not reference:
        raise InputError(
            Reason.OPTION_INVALID, "Name a subject as SOURCE/REF: its source, and its keyed reference there."
        )
    return core_pb2.SubjectKey(source=source, subject_ref=reference)


def _evidence(evidence: linkage_pb2.PairEvidence) -> dict[str, Any]:
    return {
        "fields": [
            {
                "name": field.name,
                "level": field.level,
                "weight_bits": field.weight_bits,
                "rarity": _name(field, "rarity"),
            }
            for field in evidence.fields
        ],
        "prior_bits": evidence.prior_bits,
        "weight_bits": evidence.weight_bits,
        "probability": evidence.probability,
        "guard": evidence.guard or None,
        "decision": _name(evidence, "decision"),
        "model_id": evidence.model_id,
    }


def _name(message: Any, field: str) -> str | None:
    """Return an enum field's value as people say it, None where it is unspecified."""
    number = getattr(message, field)
    enum = message.DESCRIPTOR.fields_by_name[field].enum_type
    name: str = enum.values_by_number[number].name
    # Every value begins with its enum's name: LINK_DECISION_REVIEW of LinkDecision.
    prefix = enum.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return None if number == 0 else name.removeprefix(prefix).lower()


def _told(count: core_pb2.ReleasedCount) -> int | None:
    return count.value if count.HasField("value") else None


def _shown(number: int | None) -> str:
    return _WITHHELD if number is None else f"{number:,}"


def _print_evidence(evidence: linkage_pb2.PairEvidence) -> None:
    for line in _lines(evidence):
        typer.echo(line)


def _lines(evidence: linkage_pb2.PairEvidence) -> Iterator[str]:
    wide = max(len(field.level) for field in evidence.fields)
    for field in evidence.fields:
        rarity = _name(field, "rarity")
        yield f"{field.name:<14} {field.level:<{wide}} {field.weight_bits:>+7.1f} bits  {rarity or ''}".rstrip()
    yield f"{'before':<14} {'':<{wide}} {evidence.prior_bits:>+7.1f} bits"
    guard = f", guarded: {evidence.guard}" if evidence.guard else ""
    yield f"probability about {evidence.probability:g}, {_name(evidence, 'decision')}{guard}; model {evidence.model_id}"


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
