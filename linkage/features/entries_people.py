"""Entries about the person: age, sex, ethnicity, area, and which feeds know them."""

from __future__ import annotations

from typing import Final

from linkage.features.bands import AGE_EDGES, LIFE_STAGES
from linkage.features.entry import category, count, flag
from schemas.codes import ETHNIC_GROUP_5
from schemas.contracts.base import Feed
from schemas.features import FeatureDefinition, FeatureOutput, FeatureType, MarmotDomain, Sensitivity, band_labels

_BOTH: Final = (Feed.HEALTH, Feed.WELFARE)


def people_entries() -> list[FeatureDefinition]:
    """Return the entries in the order of the catalogue."""
    ordinary = {"sensitivity": Sensitivity.ORDINARY, "sources": _BOTH}
    area = {**ordinary, "reference": "geography", "unknown_when": "no source gives an area that the geography knows"}
    born = {**ordinary, "unknown_when": "no source gives a month of birth"}
    present = {**ordinary, "unknown_when": "never; a subject counts from when its content has landed"}
    # To be known to a welfare source says that somebody claims: benefit data, whoever asks.
    on_benefit = {**present, "sensitivity": Sensitivity.WELFARE}
    return [
        count(
            "age",
            AGE_EDGES,
            "Completed years on the as-of date, counted from the first day of the month of birth.",
            outputs=(FeatureOutput.FILTER, FeatureOutput.TABLE),
            **born,
        ),
        category(
            "age_band",
            band_labels(AGE_EDGES),
            "Band of age on the as-of date.",
            ordered=True,
            quasi_identifier=True,
            **born,
        ),
        category(
            "life_stage",
            tuple(label for _, label in LIFE_STAGES),
            "Stage of life by age on the as-of date, from infant to very elderly.",
            ordered=True,
            quasi_identifier=True,
            **born,
        ),
        category(
            "sex_code",
            ("1", "2", "9"),
            "Person stated gender: 1 male, 2 female, 9 indeterminate; health sources before welfare sources.",
            quasi_identifier=True,
            unknown_when="no source states it, or only as X (not known)",
            **ordinary,
        ),
        category(
            "ethnic_group_5",
            tuple(dict.fromkeys(ETHNIC_GROUP_5.values())),
            "Ethnic category in five groups, the newest that was stated; health sources before welfare sources.",
            sources=_BOTH,
            sensitivity=Sensitivity.SPECIAL_CATEGORY,
            quasi_identifier=True,
            unknown_when="no source states it (Z not stated, 99 not known)",
        ),
        flag(
            "ethnicity_conflict",
            "The person's sources state different groups of the five.",
            sources=_BOTH,
            sensitivity=Sensitivity.SPECIAL_CATEGORY,
            unknown_when="fewer than two of the person's subjects state an ethnic category",
        ),
        flag(
            "deceased",
            "A source gives a month of death that is not after the as-of date's month.",
            unknown_when="no subject of the person has content",
            **ordinary,
        ),
        FeatureDefinition(
            name="lsoa",
            type=FeatureType.CATEGORY,
            definition="Lower-layer super output area of residence; internal, emitted as ward or coarser only.",
            outputs=(),
            **area,
        ),
        category(
            "ward", (), "Electoral ward of residence.", quasi_identifier=True, marmot_domain=MarmotDomain.PLACES, **area
        ),
        category(
            "authority",
            (),
            "Local authority district of residence.",
            quasi_identifier=True,
            marmot_domain=MarmotDomain.PLACES,
            **area,
        ),
        count(
            "imd_decile",
            tuple(range(1, 11)),
            "National decile of the Index of Multiple Deprivation of the area of residence; 1 is most deprived.",
            quasi_identifier=True,
            marmot_domain=MarmotDomain.PLACES,
            **area,
        ),
        flag(
            "core20",
            "Lives in an area of IMD decile 1 or 2.",
            quasi_identifier=True,
            marmot_domain=MarmotDomain.PLACES,
            **area,
        ),
        flag("in_health", "A subject of a health source belongs to the person.", **present),
        flag("in_welfare", "A subject of a welfare source belongs to the person.", **on_benefit),
        flag("linked", "Subjects of both feeds belong to the person.", **on_benefit),
        FeatureDefinition(
            name="link_probability",
            type=FeatureType.PROBABILITY,
            definition="Probability of the person's weakest accepted link; internal.",
            sources=_BOTH,
            sensitivity=Sensitivity.ORDINARY,
            unknown_when="the person is a single subject",
            outputs=(),
        ),
    ]
