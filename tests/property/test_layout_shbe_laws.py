"""SHBE written from clear records and read again says the same, whatever the claims; its defects are counted."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.layouts import shbe, shbe_fields
from linkage.layouts.money import Unit
from linkage.synthesise.layouts import shbe as written
from schemas.codes import Benefit, ClaimStatus, Tenure
from schemas.columns import columns
from schemas.contracts.facts_welfare import ClaimChange, ClaimMembership

DAY = date(2026, 6, 30)
SAID = {code: kind for kind, code in written.PASSPORTED.items()}
MEMBERSHIP = pl.Schema(
    {name.replace("claim_ref", "claim_reference"): dtype for name, dtype in columns(ClaimMembership).items()}
)
CHANGE = pl.Schema(
    {name.replace("claim_ref", "claim_reference"): dtype for name, dtype in columns(ClaimChange).items()}
)
days = st.dates(date(1930, 1, 1), DAY)
amounts = st.none() | st.integers(0, 100_000)
counts = st.integers(0, 12)


def terms(unit: Unit) -> shbe.Terms:
    """What the writer's extracts leave open."""
    return shbe.Terms(unit, SAID, {written.RENT_PERIOD: 1.0}, written.CAP_FIELD, written.SUPPORTED_FIELD)


@st.composite
def claim(draw: st.DrawFn, number: int) -> list[dict[str, Any]]:
    """One claim's records as SHBE can say them."""
    reference = f"H{number}"
    council_tax_only = draw(st.booleans())
    benefits = [Benefit.COUNCIL_TAX_REDUCTION]
    tenures = [Tenure.OWNER, Tenure.OTHER, Tenure.TEMPORARY]
    if not council_tax_only:
        benefits = draw(st.sampled_from([[Benefit.HOUSING_BENEFIT], [Benefit.HOUSING_BENEFIT, *benefits]]))
        tenures = [Tenure.COUNCIL, Tenure.HOUSING_ASSOCIATION, Tenure.PRIVATE_RENT, Tenure.TEMPORARY]
    shared = {
        "claim_reference": reference,
        "tenure": draw(st.sampled_from(tenures)).value,
    }
    each = {
        benefit: {
            "benefit": benefit.value,
            "status": draw(st.sampled_from(ClaimStatus)).value,
            "started_on": draw(st.none() | days),
            "ended_on": draw(st.none() | days),
        }
        for benefit in benefits
    }
    household = {
        "passported": draw(st.none() | st.sampled_from(list(SAID.values()))),
        "children_declared": draw(counts),
        "non_dependants_declared": draw(counts),
        "weekly_income_pence": draw(amounts),
        "weekly_council_tax_pence": draw(amounts),
        "capital_pence": draw(amounts),
        "disability_premium": draw(st.none() | st.booleans()),
        "carer_premium": draw(st.none() | st.booleans()),
        "supported_accommodation": draw(st.none() | st.booleans()),
    }
    renting = {
        "weekly_eligible_rent_pence": draw(amounts),
        "weekly_contractual_rent_pence": draw(amounts),
        "weekly_lha_pence": draw(amounts),
        "weekly_cap_reduction_pence": draw(amounts),
    }
    people = ["claimant", *["partner"] * draw(st.integers(0, 1))]
    people += ["child"] * draw(st.integers(0, 3)) + ["non_dependant"] * draw(st.integers(0, 2))
    rows = []
    for place, role in enumerate(people):
        grown = role != "child"
        own = {
            "weekly_earnings_pence": draw(amounts) if grown else None,
            "weekly_work_hours": draw(st.none() | st.integers(0, 60).map(float)) if place < 2 and grown else None,
        }
        if role == "non_dependant":
            own["weekly_work_hours"] = None
        facts = [
            {
                **shared, **each[benefit], **own, "role": role,
                **(household if role == "claimant" else {}),
                **({"weekly_award_pence": draw(amounts)} if role == "claimant" else {}),
                **(renting if role == "claimant" and benefit is Benefit.HOUSING_BENEFIT else {}),
            }
            for benefit in benefits
        ]  # fmt: skip
        rows.append({
            "nino": f"QQ{number:04}{place:02}A" if grown and draw(st.booleans()) else None,
            "date_of_birth": draw(days).isoformat(),
            "sex": draw(st.sampled_from(["M", "F"])) if role in ("claimant", "partner") else None,
            "postcode": "ME4 4TZ",
            "ethnic_category": draw(st.sampled_from("ABCDEFGHJKLMNPRSZ")) if role == "claimant" else None,
            "claim_reference": reference,
            "claim_role": role,
            "claims": facts,
            "claim_changes": [
                {"claim_reference": reference, "changed_on": day} for day in draw(st.lists(days, max_size=2))
            ]
            if role == "claimant"
            else [],
        })  # fmt: skip
    return rows


@st.composite
def claims(draw: st.DrawFn) -> pl.DataFrame:
    """Records of up to five claims."""
    rows = [row for number in range(draw(st.integers(1, 5))) for row in draw(claim(number))]
    schema = dict.fromkeys(
        ("nino", "date_of_birth", "sex", "postcode", "ethnic_category", "claim_reference", "claim_role"), pl.String()
    )
    return pl.DataFrame(
        rows,
        schema={
            **schema, "claims": pl.List(pl.Struct(dict(MEMBERSHIP))), "claim_changes": pl.List(pl.Struct(dict(CHANGE))),
        },
    )  # fmt: skip


def read(extract: pl.DataFrame, unit: Unit) -> shbe.Mapped:
    """Read what was written, as the layout does."""
    text = extract.with_columns(pl.col(pl.String).str.strip_chars().replace("", None))
    return shbe.clear_rows(text.with_row_index("row", 1).with_columns(pl.col("row").cast(pl.Int64)), terms(unit), DAY)


def typed(frame: pl.DataFrame) -> pl.DataFrame:
    """Bring read records to the types of clear ones, as encoding does."""

    def day(text: pl.Expr) -> pl.Expr:
        return text.str.to_date("%d/%m/%Y")

    def value(name: str, dtype: pl.DataType) -> pl.Expr:
        member = pl.element().struct.field(name)
        if dtype == pl.Date:
            return day(member)
        return (member.is_in(["true", "1"]) if dtype == pl.Boolean else member.cast(dtype)).alias(name)

    def facts(schema: pl.Schema, present: set[str]) -> pl.Expr:
        return pl.struct(
            value(name, dtype).alias(name) if name in present else pl.lit(None, dtype=dtype).alias(name)
            for name, dtype in schema.items()
        )

    inner = frame.schema["claims"].inner  # type: ignore[attr-defined]
    return frame.with_columns(
        pl.col("claims").list.eval(facts(MEMBERSHIP, {f.name for f in inner.fields})),
        pl.col("claim_changes")
        .list.eval(facts(CHANGE, set(CHANGE)))
        .fill_null(pl.lit([], dtype=pl.List(pl.Struct(dict(CHANGE))))),
        day(pl.col("date_of_birth")).cast(pl.String),
    )


@settings(max_examples=30, deadline=None)
@given(records=claims(), unit=st.sampled_from(Unit))
def test_what_is_written_is_read_again(records: pl.DataFrame, unit: Unit) -> None:
    """Every record, every fact, in either unit; ids are new, one for each."""
    back = read(written.extract(records, unit=unit), unit)
    order = ["claim_reference", "claim_role", "date_of_birth", "nino"]

    assert back.frame["record_id"].is_unique().all()
    assert typed(back.frame).select(records.columns).sort(order, nulls_last=True, maintain_order=True).to_dicts() == (
        records.sort(order, nulls_last=True, maintain_order=True).to_dicts()
    )


@settings(max_examples=10, deadline=None)
@given(records=claims(), seed=st.integers(0, 5))
def test_next_months_extract_gives_everybody_the_same_id(records: pl.DataFrame, seed: int) -> None:
    """In any order of the records, with other amounts, and whether or not there are other claims."""
    first = read(written.extract(records), Unit.PENCE).frame
    extract = written.extract(records).sample(fraction=1.0, shuffle=True, seed=seed)
    more = extract.head(1).with_columns(pl.lit("H999").alias("2"), pl.lit("D").alias("1"))
    again = read(pl.concat([extract, more]), Unit.PENCE).frame

    assert set(first["record_id"]) <= set(again["record_id"])


def test_defects_are_read_over_and_counted() -> None:
    """Members without a claim and claims twice are left out; a dummy number stays for encoding to refuse."""
    rng = np.random.default_rng(1)
    defects = written.Defects(empty_nino=0.5, dummy_nino=0.5, members_without_claim=1, repeated_claims=1)
    records = pl.DataFrame(
        [
            {"nino": f"QQ00000{n}A", "claim_reference": f"H{n}", "claim_role": role, "date_of_birth": "1980-01-02",
             "claims": [{"claim_reference": f"H{n}", "benefit": "hb", "role": role, "status": "in_payment",
                         "tenure": "council"}]}
            for n in range(8) for role in ("claimant", "child")
        ],
        schema_overrides={"claims": pl.List(pl.Struct(dict(MEMBERSHIP)))},
    )  # fmt: skip
    back = read(written.extract(records, defects=defects, chance=rng), Unit.PENCE)
    claimants = back.frame.filter(pl.col("claim_role") == "claimant")

    assert back.frame.height == 16
    assert back.counts["members (S) without a live claim, left out"] == 1
    assert back.counts["live claims that stand there twice, the first kept"] == 1
    assert 0 < claimants["nino"].null_count() < 8
    assert claimants["nino"].str.starts_with("XX999").any()
    assert shbe_fields.variant(tuple(written.extract(records, type_1=False).columns)) == "header type 0"
