"""The LinkageService over gRPC: evidence on pairs, reviews decided blind, quality; each call audited, refusals too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import polars as pl

from linkage.explain import ScoredPair
from linkage.reason import Because
from linkage.tell import Evidence, Explainer
from schemas.disclosure import DisclosurePolicy
from schemas.errors import HwlinkError, InputError, Reason, StateError
from schemas.model import parse_model
from schemas.purposes import Output, purpose, shipped_purposes
from services.pb.hwlink.v1 import linkage_pb2, linkage_pb2_grpc
from services.registry import AuditEvent, Registry
from services.review.answers import REVIEWERS_LINK, at_threshold, feed_quality, link_path, pair_evidence
from services.review.connected import Connected
from services.review.open_reviews import DECIDE, PAIR, OpenReviews, after, decision_detail
from services.review.quality import quality
from services.review.sealing import Seal
from services.rpc.pages import Pages

_KEY = ("source", "subject_ref")
_REVIEW = "review"
_LOCAL = "local"
"""Who asks: until callers are authenticated, everybody on this machine is one principal."""
_VERDICTS = {
    linkage_pb2.REVIEW_VERDICT_SAME: "same",
    linkage_pb2.REVIEW_VERDICT_DIFFERENT: "different",
    linkage_pb2.REVIEW_VERDICT_UNSURE: "unsure",
}


@dataclass
class _Call:
    """One call under way: who asks, under which purpose, and what its audit event will say of it."""

    principal: str
    purpose: str
    detail: dict[str, str] = field(default_factory=dict)
    recorded: bool = False

    def event(self, action: str, outcome: str) -> AuditEvent:
        return AuditEvent(self.principal, self.purpose, action, outcome, self.detail)


class LinkageService(linkage_pb2_grpc.LinkageServiceServicer):
    """Answers linkage specialists and reviewers. Errors pass through the server's interceptor."""

    def __init__(self, registry: Registry, policy: DisclosurePolicy) -> None:
        """Take up what has been decided so far; `policy` protects the counts of the quality report."""
        self._registry = registry
        self._policy = policy
        self._reviews = OpenReviews(registry.review, registry.query)
        self._seal = Seal()
        self._pages = Pages()
        self._explainer: Explainer | None = None

    def Explain(
        self, request: linkage_pb2.ExplainRequest, context: grpc.ServicerContext
    ) -> linkage_pb2.ExplainResponse:
        """See linkage.proto."""
        with self._audited("review.explain", request.purpose) as call:
            purpose(request.purpose).permits_evidence()
            left, right = self._subjects(request)
            call.detail.update(left_serial=str(left["serial"]), right_serial=str(right["serial"]))
            known = Connected(self._registry.resolver.neighbourhood(pl.Series([left["serial"]])))
            ends = (left["serial"], right["serial"])
            pair = known.pair(*ends)
            same = left["person"] is not None and left["person"] == right["person"]
            direct = None if pair is None else self._told(pair)
            path = known.path(*ends) if same and (direct is None or direct.because is Because.OTHERS) else []
            if direct is None and not path:
                raise _unknown_pair()
            return linkage_pb2.ExplainResponse(
                evidence=None if direct is None else pair_evidence(direct),
                same_person=same,
                path=link_path([REVIEWERS_LINK if link is None else pair_evidence(self._told(link)) for link in path]),
            )

    def NextReview(
        self, request: linkage_pb2.NextReviewRequest, context: grpc.ServicerContext
    ) -> linkage_pb2.NextReviewResponse:
        """See linkage.proto."""
        with self._audited("review.next", request.purpose) as call:
            purpose(request.purpose).permits_evidence()
            place = self._place(request)
            model = self._model()
            ranked = self._reviews.ranked(model.model.model_id) if model is not None else pl.DataFrame()
            chosen = after(ranked, place).head(2)
            response = linkage_pb2.NextReviewResponse(open_reviews=ranked.height)
            if chosen.is_empty():
                return response
            row = chosen.row(0, named=True)
            call.detail.update({name: str(row[name]) for name in PAIR})
            ends = pl.Series([row["left_serial"], row["right_serial"]])
            pair = Connected(self._registry.resolver.neighbourhood(ends)).scored(row)
            response.review.CopyFrom(
                linkage_pb2.Review(
                    review_id=self._seal.seal(_REVIEW, tuple(row[name] for name in PAIR)),
                    evidence=pair_evidence(self._told(pair)),
                )
            )
            if chosen.height > 1:
                here = (row["microbits"], row["left_serial"], row["right_serial"])
                response.next_page_token = self._seal.seal(f"after {request.purpose}", here)
            return response

    def DecideReview(
        self, request: linkage_pb2.DecideReviewRequest, context: grpc.ServicerContext
    ) -> linkage_pb2.DecideReviewResponse:
        """See linkage.proto."""
        with self._audited(DECIDE, request.purpose) as call:
            purpose(request.purpose).permits_evidence()
            verdict = _VERDICTS.get(request.verdict)
            if verdict is None:
                raise InputError(Reason.FIELD_INVALID, "Say a verdict: same, different or unsure.")
            numbers = self._seal.opened(_REVIEW, request.review_id)
            if numbers is None:
                raise InputError(
                    Reason.NOT_FOUND,
                    "This server has given out no review of that id since it started; ask for the next.",
                )
            left, right, left_version, right_version = numbers
            pair = (left, right, left_version, right_version)
            call.detail.update(decision_detail(pair, verdict))
            call.recorded = self._reviews.decide(pair, verdict, call.event(DECIDE, "done"))
            model = self._model()
            still_open = self._reviews.ranked(model.model.model_id).height if model is not None else 0
            return linkage_pb2.DecideReviewResponse(open_reviews=still_open)

    def Quality(
        self, request: linkage_pb2.QualityRequest, context: grpc.ServicerContext
    ) -> linkage_pb2.QualityResponse:
        """See linkage.proto."""
        with self._audited("review.quality", request.purpose) as call:
            purpose(request.purpose).permits(Output.COUNTS)
            report = quality(self._registry, self._policy, request.by, request.snapshot_id)
            call.detail.update(snapshot_id=report.snapshot_id)
            page, token = self._pages.page(request, report.feeds)
            return linkage_pb2.QualityResponse(
                groups=[feed_quality(feed) for feed in page],
                snapshot_id=report.snapshot_id,
                model_id=report.model_id,
                policy_id=report.policy_id,
                reviews_per_10000=report.reviews_per_10000,
                next_page_token=token,
                thresholds=[at_threshold(each) for each in report.thresholds],
            )

    @contextmanager
    def _audited(self, action: str, purpose_id: str) -> Iterator[_Call]:
        """Append how the call ended to the audit chain: `done`, or `refused` and why."""
        # A purpose that there is not is not repeated: it is a text of the caller's, and might hold anything.
        named = purpose_id if purpose_id in shipped_purposes() else "unknown"
        call = _Call(_LOCAL, named)
        try:
            yield call
        except HwlinkError as error:
            call.detail["reason"] = error.reason.value
            self._registry.query.audit(call.event(action, "refused"))
            raise
        if not call.recorded:
            self._registry.query.audit(call.event(action, "done"))

    def _model(self) -> Explainer | None:
        """Return the model in force, made ready once; None before the first."""
        active = self._registry.matcher.active_model()
        if active is None:
            return None
        held = self._explainer
        if held is None or held.model.model_id != active[0]:
            held = self._explainer = Explainer(parse_model(active[1]))
        return held

    def _told(self, pair: ScoredPair) -> Evidence:
        explainer = self._model()
        if explainer is None or explainer.model.model_id != pair.model_id:
            raise StateError(
                Reason.MODEL_MISMATCH,
                "Another match model is in force than the one that scored this pair; ask again when it is scored anew.",
            )
        return explainer.evidence(pair)

    def _subjects(self, request: linkage_pb2.ExplainRequest) -> tuple[dict[str, Any], dict[str, Any]]:
        keys = [(key.source, key.subject_ref) for key in (request.left, request.right)]
        if keys[0] == keys[1] or not all(part for key in keys for part in key):
            raise InputError(Reason.FIELD_INVALID, "Name two different subjects, each by source and subject_ref.")
        frame = pl.DataFrame(keys, schema=dict.fromkeys(_KEY, pl.String), orient="row")
        found = {(row["source"], row["subject_ref"]): row for row in self._registry.resolver.subjects(frame).to_dicts()}
        if len(found) != 2:
            raise _unknown_pair()
        return found[keys[0]], found[keys[1]]

    def _place(self, request: linkage_pb2.NextReviewRequest) -> tuple[int, int, int] | None:
        if not request.page_token:
            return None
        place = self._seal.opened(f"after {request.purpose}", request.page_token)
        if place is None:
            raise InputError(
                Reason.PAGE_TOKEN_INVALID,
                "The page token does not belong to this request or to this server's run; ask again without a token.",
            )
        return place[0], place[1], place[2]


def _unknown_pair() -> InputError:
    # One answer for both cases: whether a source knows a subject is nobody's business who does not hold a pair of it.
    return InputError(
        Reason.NOT_FOUND,
        "Nothing is kept of this pair: a subject is not known, or their evidence is below review; check both keys.",
    )
