"""`hwlink review`: uncertain pairs decided blind, quality reported; and the command `explain` beside it."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.explain import DEFAULT_ADDRESS, enum_name, explain, message_evidence, print_evidence

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.pb.hwlink.v1 import core_pb2, linkage_pb2, linkage_pb2_grpc

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
        review = {"review_id": response.review.review_id, "evidence": message_evidence(response.review.evidence)}
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
    print_evidence(message_evidence(response.review.evidence))
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
    by: Annotated[
        str,
        typer.Option(
            help="Link rates by: age_band, sex_code, ethnic_group_5, imd_decile or authority; estimates by: source."
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Show how many people of each feed are linked with the other, how right and how complete those links are expected
    to be, now and at other thresholds, and how many could not be linked; with --by, the link rates of subgroups.
    """
    from services.pb.hwlink.v1 import linkage_pb2

    request = linkage_pb2.QualityRequest(purpose=purpose, snapshot_id=snapshot, by=by)
    response = _ask(to, lambda stub: stub.Quality, request)
    report = {
        "snapshot_id": response.snapshot_id,
        "model_id": response.model_id,
        "policy_id": response.policy_id,
        "reviews_per_10000": response.reviews_per_10000,
        "feeds": [_group(group) if by not in ("", "source") else _feed(group) for group in response.groups],
        "thresholds": [_threshold(at) for at in response.thresholds],
    }
    if as_json:
        _print_json(report)
        return
    for told in report["feeds"]:
        typer.echo(_feed_line(told) if "people" in told else _group_line(told))
    for at in report["thresholds"]:
        typer.echo(_threshold_line(at))
    typer.echo(f"{response.reviews_per_10000:g} reviews for each 10,000 subjects")
    typer.echo(
        f"Snapshot {response.snapshot_id}, model {response.model_id or 'none'}, policy {response.policy_id}. "
        f"{_WITHHELD} is withheld; numbers are rounded."
    )


def _feed(group: linkage_pb2.GroupQuality) -> dict[str, Any]:
    return {
        "feed": enum_name(group, "feed"),
        **({"source": group.group} if group.group else {}),
        "people": _told(group.subjects),
        "linked": _told(group.linked),
        "expected_precision": group.precision.value if group.precision.HasField("value") else None,
        **_expected(group),
        "unlinkable_rate": group.unlinkable_rate if group.HasField("unlinkable_rate") else None,
    }


def _threshold(at: linkage_pb2.ThresholdQuality) -> dict[str, Any]:
    return {
        "name": at.label or None,
        "link_probability": at.link_probability,
        "links_ratio": at.links_ratio if at.HasField("links_ratio") else None,
        **_expected(at),
    }


def _expected(told: linkage_pb2.GroupQuality | linkage_pb2.ThresholdQuality) -> dict[str, float]:
    """Return precision and recall with their intervals, as far as they are told."""
    return {
        f"expected_{part}{end}": getattr(estimate, name)
        for part, estimate in (("precision", told.precision), ("recall", told.recall))
        for end, name in (("", "value"), ("_low", "low"), ("_high", "high"))
        if estimate.HasField(name)
    }


def _group(group: linkage_pb2.GroupQuality) -> dict[str, Any]:
    return {
        "feed": enum_name(group, "feed"),
        "group": group.group,
        **{
            name: getattr(group, name) if group.HasField(name) else None
            for name in ("link_rate", "standardised_difference")
        },
    }


def _feed_line(feed: dict[str, Any]) -> str:
    if "source" in feed:
        name = f"{feed['feed']}, {feed['source']}:"
    else:
        name = f"{feed['feed']}: {_shown(feed['people'])} people, {_shown(feed['linked'])} linked,"
    rate = feed["unlinkable_rate"]
    unlinkable = "" if rate is None else f", {rate:.0%} unlinkable"
    return f"{name} {_expectation(feed, 'precision')}, {_expectation(feed, 'recall')}{unlinkable}"


def _threshold_line(at: dict[str, Any]) -> str:
    name = "" if at["name"] is None else f" ({at['name']})"
    links = "" if at["links_ratio"] is None else f"{at['links_ratio']:.2f} times the links, "
    return f"linked from {at['link_probability']:g}{name}: {links}{_expectation(at, 'precision')}, " + _expectation(
        at, "recall"
    )


def _expectation(told: dict[str, Any], part: str) -> str:
    value, low, high = (told.get(f"expected_{part}{end}") for end in ("", "_low", "_high"))
    if value is None:
        return f"expected {part} not estimable"
    return f"expected {part} {value}" + ("" if low is None else f" ({low} to {high})")


def _group_line(group: dict[str, Any]) -> str:
    if group["link_rate"] is None:
        return f"{group['feed']}, {group['group']}: {_WITHHELD}"
    difference = group["standardised_difference"]
    told = "" if difference is None else f", standardised difference {difference:+.1f}"
    return f"{group['feed']}, {group['group']}: {group['link_rate']:.0%} linked{told}"


def _ask(to: str, method: Callable[[linkage_pb2_grpc.LinkageServiceStub], Any], request: Any) -> Any:
    from services.pb.hwlink.v1 import linkage_pb2_grpc
    from services.rpc.client import call, open_channel

    with open_channel(to) as channel:
        return call(method(linkage_pb2_grpc.LinkageServiceStub(channel)), request)


def _told(count: core_pb2.ReleasedCount) -> int | None:
    return count.value if count.HasField("value") else None


def _shown(number: int | None) -> str:
    return _WITHHELD if number is None else f"{number:,}"


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
