"""Why people came to hospital, by named and versioned code lists: avoidable admissions, falls, self-harm, and the
reasons that the segmentation model asks for.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from linkage.features.codes import belongs
from linkage.features.entry import count, flag
from linkage.features.hospital.events import EMERGENCY, THIS_YEAR, of_kind
from linkage.features.states import some
from linkage.features.wording import EVENTLESS, health
from schemas.code_lists import code_list
from schemas.codes import EncounterKind, InjuryIntent
from schemas.features import FeatureDefinition

ACSC_LIST: Final = "acsc-nhp-2"
FALLS_LIST: Final = "falls-nhp-1"
SELFHARM_LIST: Final = "selfharm-nhp-1"
SEGMENT_LIST: Final = "snee-hospital-1"
FALLS_AGE: Final = 65
_HOSPITAL: Final = (EncounterKind.AE_ATTENDANCE, EncounterKind.ADMISSION)
_ADMISSION: Final = (EncounterKind.ADMISSION.value,)


def _entries() -> list[FeatureDefinition]:
    year = {"unknown_when": EVENTLESS, "look_back_months": 12}
    return [
        count(
            "acsc_admissions_12m",
            (0, 1, 2, 3),
            "Emergency admissions in 12 months for a condition of the named list, all groups together.",
            **health(_ADMISSION, reference=ACSC_LIST, **year),
        ),
        *(
            count(
                f"acsc_{group.name}_12m",
                (0, 1, 2),
                f"Emergency admissions in 12 months of the named list's group: {group.title}.",
                **health(_ADMISSION, reference=ACSC_LIST, **year),
            )
            for group in code_list(ACSC_LIST).groups
        ),
        count(
            "falls_65plus_12m",
            (0, 1, 2, 3),
            "Emergency admissions in 12 months after a fall, by the named list, of somebody aged 65 or over.",
            **health(
                _ADMISSION,
                reference=FALLS_LIST,
                **{**year, "unknown_when": f"{EVENTLESS}, or the age of somebody who fell is unknown"},
            ),
        ),
        flag(
            "selfharm_event_24m",
            "An emergency admission with a code of self-harm, or an accident and emergency attendance for a "
            "self-inflicted injury, in 24 months.",
            **health(tuple(map(str, _HOSPITAL)), reference=SELFHARM_LIST, unknown_when=EVENTLESS, look_back_months=24),
        ),
        *(
            flag(
                f"hospital_{group.name}_12m",
                f"Accident and emergency or admitted care in 12 months for the segmentation list's reason: "
                f"{group.title}.",
                outputs=(),
                **health(tuple(map(str, _HOSPITAL)), reference=SEGMENT_LIST, **year),
            )
            for group in code_list(SEGMENT_LIST).groups
        ),
    ]


ENTRIES: Final = tuple(_entries())


def per_event(as_of: date) -> dict[str, pl.Expr]:
    """Return what is summed over a person's encounters, by the name of the sum."""
    avoidable = {
        f"acsc_{group.name}_12m": EMERGENCY & THIS_YEAR & belongs(group) for group in code_list(ACSC_LIST).groups
    }
    fell = some([belongs(group) for group in code_list(FALLS_LIST).groups])
    [harmed] = [belongs(group) for group in code_list(SELFHARM_LIST).groups]
    inflicted = (pl.col("injury_intent") == InjuryIntent.SELF_INFLICTED.value).fill_null(False)
    return {
        **avoidable,
        "acsc_admissions_12m": pl.any_horizontal(avoidable.values()),
        "_falls": EMERGENCY & THIS_YEAR & fell,
        "_selfharm": (EMERGENCY & harmed) | (of_kind(EncounterKind.AE_ATTENDANCE) & inflicted),
        **{
            f"_hospital_{group.name}": of_kind(*_HOSPITAL) & THIS_YEAR & belongs(group)
            for group in code_list(SEGMENT_LIST).groups
        },
    }


def columns(as_of: date) -> list[pl.Expr]:
    """Return the features of `ENTRIES` over one row a person with the sums of `per_event`."""
    counted = ["acsc_admissions_12m", *(f"acsc_{group.name}_12m" for group in code_list(ACSC_LIST).groups)]
    admission = pl.when(pl.col(f"covers_{EncounterKind.ADMISSION}"))
    falls = pl.col("_falls").fill_null(0)
    old = pl.col("age") >= FALLS_AGE
    return [
        *(admission.then(pl.col(name).fill_null(0)).cast(pl.Int32).alias(name) for name in counted),
        admission.then(pl.when((falls == 0) | ~old).then(0).when(old).then(falls))
        .cast(pl.Int32)
        .alias("falls_65plus_12m"),
        _either("_selfharm").alias("selfharm_event_24m"),
        *(
            _either(f"_hospital_{group.name}").alias(f"hospital_{group.name}_12m")
            for group in code_list(SEGMENT_LIST).groups
        ),
    ]


def _either(name: str) -> pl.Expr:
    """Return whether it happened in either kind of care: known to have not where both kinds are delivered."""
    both = pl.all_horizontal(pl.col(f"covers_{kind}") for kind in _HOSPITAL)
    return pl.when(pl.col(name).fill_null(0) > 0).then(True).when(both).then(False)
