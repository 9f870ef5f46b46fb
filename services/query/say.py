"""From our values to the messages of `cohort.proto`."""

from __future__ import annotations

import json
from typing import Final

from linkage.disclosure import ReleasedTable, release_percent
from linkage.disclosure.counts import Mask
from schemas.cohorts import CohortDefinition
from schemas.contracts.base import Feed
from schemas.disclosure import DisclosurePolicy
from schemas.features import FeatureDefinition, FeatureType
from schemas.purposes import Output
from services.pb.hwlink.v1 import cohort_pb2, core_pb2
from services.query.answers import Linkage
from services.query.states import Dimension, State
from services.registry import Snapshot

_FEEDS: Final = {Feed.HEALTH: core_pb2.FEED_HEALTH, Feed.WELFARE: core_pb2.FEED_WELFARE}
_TYPES: Final = {
    FeatureType.CATEGORY: cohort_pb2.VALUE_TYPE_CATEGORY,
    FeatureType.BOOLEAN: cohort_pb2.VALUE_TYPE_BOOLEAN,
    FeatureType.INTEGER: cohort_pb2.VALUE_TYPE_INTEGER,
    FeatureType.PROBABILITY: cohort_pb2.VALUE_TYPE_PROBABILITY,
    FeatureType.REAL: cohort_pb2.VALUE_TYPE_REAL,
}
_OUTPUTS: Final = {Output.COUNTS: cohort_pb2.OUTPUT_COUNTS, Output.MEMBERS: cohort_pb2.OUTPUT_MEMBERS}


def number(value: int | None) -> core_pb2.ReleasedCount:
    """Return a number that may be told, or that it is withheld."""
    return core_pb2.ReleasedCount(suppressed=True) if value is None else core_pb2.ReleasedCount(value=value)


def feature_message(definition: FeatureDefinition) -> cohort_pb2.Feature:
    """Return a registry entry."""
    return cohort_pb2.Feature(
        name=definition.name,
        value_type=_TYPES[definition.type],
        definition=definition.definition,
        unknown_when=definition.unknown_when,
        values=definition.values,
        bands=definition.bands,
        sources=[_FEEDS[feed] for feed in definition.sources],
        sensitivity=definition.sensitivity,
        marmot_domain=definition.marmot_domain or "",
        household_basis=definition.household_basis or "",
        look_back_months=definition.look_back_months or 0,
        outputs=[str(output) for output in definition.outputs],
    )


def cohort_message(definition: CohortDefinition) -> cohort_pb2.Cohort:
    """Return a cohort's document."""
    return cohort_pb2.Cohort(
        cohort_id=definition.cohort_id,
        version=definition.version,
        title=definition.title,
        description=definition.description,
        filter=definition.filter,
        denominator=definition.denominator,
        exclusions=[
            cohort_pb2.CohortExclusion(filter=exclusion.filter, because=exclusion.because)
            for exclusion in definition.exclusions
        ],
        outputs=[_OUTPUTS[output] for output in definition.outputs],
        source=definition.source,
        dimensions=definition.dimensions or (),
        restricted=definition.dimensions is not None,
        refusal=definition.refusal,
        min_count=definition.min_count,
        review_on=definition.review_on.isoformat() if definition.review_on else "",
    )


def context_message(state: State, policy: DisclosurePolicy, linkage: Linkage) -> cohort_pb2.AnswerContext:
    """Return what an answer was computed from; `linkage` is that of the whole snapshot."""
    linked, health, welfare = (
        int(number) if told else None for number, told in zip(linkage.numbers, linkage.permitted, strict=True)
    )
    return cohort_pb2.AnswerContext(
        snapshot_id=state.snapshot.snapshot_id,
        as_of=state.snapshot.as_of.isoformat(),
        published_at_ms=state.snapshot.published_at_ms,
        model_id=state.snapshot.model_id or "",
        policy_id=policy.policy_id,
        reference_version=_reference(state.snapshot),
        linkage_rates=[rate_message(Feed.HEALTH, health, linked), rate_message(Feed.WELFARE, welfare, linked)],
    )


def snapshot_message(snapshot: Snapshot) -> cohort_pb2.PublishedSnapshot:
    """Return a published snapshot, without its figures."""
    return cohort_pb2.PublishedSnapshot(
        snapshot_id=snapshot.snapshot_id,
        as_of=snapshot.as_of.isoformat(),
        reference_version=_reference(snapshot),
    )


def _reference(snapshot: Snapshot) -> str:
    return str(json.loads(snapshot.summary_json).get("reference", ""))


def rate_message(feed: Feed, people: int | None, linked: int | None) -> cohort_pb2.LinkageRate:
    """Return how many of a feed's people are linked, the share computed from the two released numbers."""
    return cohort_pb2.LinkageRate(
        feed=_FEEDS[feed],
        people=number(people),
        linked=number(linked),
        linked_percent=release_percent(linked, people),
    )


def cell_messages(
    dimensions: tuple[Dimension, ...], table: ReleasedTable, told: Mask, places: list[tuple[int, ...]]
) -> list[cohort_pb2.TableCell]:
    """Return the cells at `places` of a table with margins; `told` (its shape, flattened) says which may be told."""
    shown = told.reshape(table.values.shape)
    return [
        cohort_pb2.TableCell(
            values=[_where(dimension, at) for dimension, at in zip(dimensions, place, strict=True)],
            count=number(int(table.values[place]) if shown[place] else None),
        )
        for place in places
    ]


def _where(dimension: Dimension, at: int) -> cohort_pb2.DimensionValue:
    if at < len(dimension.labels):
        return cohort_pb2.DimensionValue(kind=cohort_pb2.DIMENSION_VALUE_KIND_VALUE, value=dimension.labels[at])
    unknown = at == len(dimension.labels)
    return cohort_pb2.DimensionValue(
        kind=cohort_pb2.DIMENSION_VALUE_KIND_UNKNOWN if unknown else cohort_pb2.DIMENSION_VALUE_KIND_TOTAL
    )
