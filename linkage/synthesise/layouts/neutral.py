"""The neutral records, written: what `linkage.layouts.neutral` reads."""

from __future__ import annotations

import polars as pl

from linkage.layouts.neutral import IDENTITY, PERSON, REASONS, SERVICES
from linkage.synthesise.layouts.flat import KEY, listed, people, turned
from schemas.codes import MeasurementKind, ReferralService


def social_care(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return adult social care: clients, packages and flags."""
    packages = people(
        listed(frame, "care_arrangements"),
        {
            PERSON: KEY, "service_type": "package", "start_date": "started_on", "end_date": "ended_on",
            "weekly_hours": "weekly_hours",
        },
    )  # fmt: skip
    return {
        "client": people(frame, {PERSON: KEY, **{name: name for name in IDENTITY}}),
        "service": packages.with_columns(pl.col("service_type").replace(turned(SERVICES))),
        "inclusion_flag": people(
            listed(frame, "inclusion_flags"),
            {PERSON: KEY, "group": "group", "stated_date": "stated_on", "ended_date": "ended_on"},
        ),
    }


def child_measurement(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the child measurement programme: one row a measurement, the centile as a share."""
    centiles = listed(frame, "measurements").filter(pl.col("kind") == MeasurementKind.BMI_CENTILE_UK90.value)
    share = (pl.col("value").cast(pl.Float64) / 100.0).round(4).cast(pl.String)
    return {
        "measurement": _events(
            frame, centiles.with_columns(share=share), {"measured_on": "recorded_on", "bmi_p_score": "share"}
        )
    }


def social_prescribing(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return social prescribing: one row a referral."""
    own = listed(frame, "referrals").filter(pl.col("service") == ReferralService.SOCIAL_PRESCRIBING.value)
    table = _events(frame, own, {"referred_on": "opened_on", "closed_on": "closed_on", "reason": "reason"})
    return {"referral": table.with_columns(pl.col("reason").replace(turned(REASONS)))}


def _events(frame: pl.DataFrame, facts: pl.DataFrame, columns: dict[str, str]) -> pl.DataFrame:
    who = people(frame, {name: name for name in (KEY, *IDENTITY)})
    joined = facts.join(who, on=KEY, how="inner", maintain_order="left")
    return people(joined, {PERSON: KEY, **{name: name for name in IDENTITY}, **columns})
