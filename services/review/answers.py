"""What the service says, as messages."""

from __future__ import annotations

from collections.abc import Sequence

from linkage.reason import WORDS, Because, guard_words
from linkage.tell import Evidence, Rarity
from schemas.contracts.base import Feed
from schemas.decision import Decision
from services.pb.hwlink.v1 import core_pb2, linkage_pb2
from services.review.estimates import AtThreshold, Share
from services.review.quality import FeedQuality

_FEEDS = {Feed.HEALTH: core_pb2.FEED_HEALTH, Feed.WELFARE: core_pb2.FEED_WELFARE}
_DECISIONS = {
    Decision.LINK: linkage_pb2.LINK_DECISION_LINK,
    Decision.REVIEW: linkage_pb2.LINK_DECISION_REVIEW,
    Decision.APART: linkage_pb2.LINK_DECISION_APART,
}
_RARITIES = {
    None: linkage_pb2.RARITY_UNSPECIFIED,
    Rarity.COMMON: linkage_pb2.RARITY_COMMON,
    Rarity.TYPICAL: linkage_pb2.RARITY_TYPICAL,
    Rarity.RARE: linkage_pb2.RARITY_RARE,
}

REVIEWERS_LINK = linkage_pb2.PairEvidence(
    probability=1.0,
    decision=linkage_pb2.LINK_DECISION_LINK,
    because=Because.REVIEWER.value,
    because_reason=WORDS[Because.REVIEWER],
)
"""What is told of a link that a reviewer made and of which no evidence is kept (any more)."""


def pair_evidence(evidence: Evidence) -> linkage_pb2.PairEvidence:
    """Return the message that tells a pair's evidence."""
    return linkage_pb2.PairEvidence(
        fields=[
            linkage_pb2.ComparedField(
                name=compared.name,
                level=compared.level,
                weight_bits=compared.weight_bits,
                rarity=_RARITIES[compared.rarity],
                m=compared.m,
                u=compared.u,
                running_bits=compared.running_bits,
            )
            for compared in evidence.fields
        ],
        prior_bits=evidence.prior_bits,
        weight_bits=evidence.weight_bits,
        probability=evidence.probability,
        guard=evidence.guard or "",
        decision=_DECISIONS[evidence.decision],
        model_id=evidence.model_id,
        guard_reason=guard_words(evidence.guard),
        because=evidence.because.value,
        because_reason=WORDS[evidence.because],
        thresholds=linkage_pb2.DecisionThresholds(
            link_probability=evidence.policy.link_probability,
            review_probability=evidence.policy.review_probability,
            margin_bits=evidence.policy.margin_bits,
        ),
    )


def link_path(links: Sequence[linkage_pb2.PairEvidence]) -> linkage_pb2.LinkPath | None:
    """Return the message that tells by which links two subjects are one person; None for no links."""
    return linkage_pb2.LinkPath(links=links) if links else None


def feed_quality(quality: FeedQuality) -> linkage_pb2.GroupQuality:
    """Return the message that tells one feed's quality; what is not estimable or not known is absent."""
    return linkage_pb2.GroupQuality(
        feed=_FEEDS[quality.feed],
        subjects=_count(quality.people),
        linked=_count(quality.linked),
        group=quality.group,
        precision=_estimate(quality.precision),
        recall=_estimate(quality.recall),
        link_rate=quality.link_rate,
        standardised_difference=quality.standardised_difference,
        unlinkable_rate=quality.unlinkable_rate,
    )


def at_threshold(told: AtThreshold) -> linkage_pb2.ThresholdQuality:
    """Return the message that tells what the links would be at another threshold."""
    return linkage_pb2.ThresholdQuality(
        label=told.name,
        link_probability=told.link_probability,
        links_ratio=told.links_ratio,
        precision=_estimate(told.precision),
        recall=_estimate(told.recall),
    )


def _estimate(share: Share) -> linkage_pb2.Estimate:
    return linkage_pb2.Estimate(value=share.value, low=share.low, high=share.high)


def _count(value: int | None) -> core_pb2.ReleasedCount:
    return core_pb2.ReleasedCount(value=value, suppressed=value is None)
