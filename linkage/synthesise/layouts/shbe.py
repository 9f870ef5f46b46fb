"""Single Housing Benefit Extract, written from clear records: the other way of `linkage.layouts.shbe`.

Lost on the way, for want of a field: record ids (a claim's reference and who it is make new ones), middle names in S
records, the sex of anybody but claimant and partner, ethnicity and premiums of anybody but the claimant, dates and
states that are a member's own and not their claim's, when a discretionary payment was awarded and how much, council-tax
accounts, a child's National Insurance number, UPRN and LSOA, and names and addresses altogether unless asked for, since
councils blank them. A claim of council-tax reduction alone is an owner's, or else its tenure is `other`; owners have no
Housing Benefit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from linkage.layouts import shbe_fields as f
from linkage.layouts.money import Unit
from schemas.codes import Passported, Tenure
from schemas.columns import columns
from schemas.contracts.facts_welfare import ClaimMembership
from schemas.contracts.subject import ClaimRole

_REF: Final = "claim_reference"
_BENEFITS: Final = ("hb", "ctr")
_TENANCIES: Final = {
    Tenure.COUNCIL.value: "1",
    Tenure.HOUSING_ASSOCIATION.value: "4",
    Tenure.PRIVATE_RENT.value: "3",
    Tenure.OWNER.value: "5",
    Tenure.OTHER.value: "7",
    Tenure.TEMPORARY.value: "2",
}
PASSPORTED: Final = {
    Passported.STANDARD: "0",
    Passported.INCOME_SUPPORT: "1",
    Passported.JSA_INCOME_BASED: "2",
    Passported.ESA_INCOME_RELATED: "3",
    Passported.PENSION_CREDIT: "4",
    Passported.NOT_KNOWN: "5",
}
"""Which number this writer gives to which benefit: in the order of Stat-Xplore's categories, which proves nothing
[K]."""
RENT_PERIOD: Final = "1"
"""The writer's rents are weekly, and field 182 says so by this code."""
CAP_FIELD: Final = "340"
"""Where this writer puts the weekly benefit-cap reduction: no open source says which field it is."""
SUPPORTED_FIELD: Final = "341"


@dataclass(frozen=True)
class Defects:
    """Shares of records that are made wrong as real extracts are; numbers of records added."""

    empty_nino: float = 0.0
    dummy_nino: float = 0.0
    members_without_claim: int = 0
    repeated_claims: int = 0


def extract(
    records: pl.DataFrame,
    *,
    type_1: bool = True,
    unit: Unit = Unit.PENCE,
    names: bool = False,
    defects: Defects | None = None,
    chance: np.random.Generator | None = None,
) -> pl.DataFrame:
    """Return the extract as String columns named by field number, in the header's order: D and S records, then T.

    `records` are clear welfare records, one a person of a claim, with at least `claim_reference`, `claim_role` and
    `claims`; dates as YYYY-MM-DD. With `names`, the header has the fields of names and addresses too.
    """
    header = f.TYPE_1 if type_1 else f.TYPE_0
    if names:
        extra = {n for person in f.NAMES.values() for numbers in person.values() for n in numbers} | set(f.ADDRESS)
        header = tuple(sorted({*header, *extra}, key=int))
    people = _people(records)
    main = people.filter(pl.col("claim_role") == ClaimRole.CLAIMANT.value)
    partner = people.filter(pl.col("claim_role") == ClaimRole.PARTNER.value).unique(_REF, keep="first")
    live = main.join(partner, on=_REF, how="left", suffix="_partner", maintain_order="left").select(*_live(unit))
    members = people.filter(pl.col("claim_role").is_in([ClaimRole.CHILD.value, ClaimRole.NON_DEPENDANT.value])).select(
        *_members(unit)
    )
    body = pl.concat([live, members, _changes(records)], how="diagonal").sort("order", maintain_order=True)
    if defects is not None and chance is not None:
        body = _spoilt(body, defects, chance)
    return body.select(
        pl.col(number) if number in body.columns else pl.lit(None, dtype=pl.String).alias(number) for number in header
    )


def _people(records: pl.DataFrame) -> pl.DataFrame:
    """Return the records with the members of their first claim of each benefit as columns `hb_...`, `ctr_...`."""
    texts = ("nino", "forename", "middle_names", "surname", "date_of_birth", "date_of_death", "sex", "postcode",
             "address", "ethnic_category")  # fmt: skip
    frame = records.with_row_index("order").with_columns(
        *(pl.lit(None, dtype=pl.String).alias(name) for name in texts if name not in records.columns)
    )
    members = [member for member in columns(ClaimMembership) if not member.endswith("_ref")]
    for benefit in _BENEFITS:
        mine = pl.col("claims").list.filter(pl.element().struct.field("benefit") == benefit).list.first()
        frame = frame.with_columns(
            *(mine.struct.field(member).alias(f"{benefit}_{member}") for member in members),
            mine.is_not_null().alias(benefit),
        )
    return frame.with_columns(_day("date_of_birth"), _day("date_of_death"))


def _either(member: str, suffix: str = "") -> pl.Expr:
    return pl.coalesce(f"hb_{member}{suffix}", f"ctr_{member}{suffix}")


def _money(amount: pl.Expr, unit: Unit) -> pl.Expr:
    if unit is Unit.PENCE:
        return amount.cast(pl.String)
    return (amount.cast(pl.Float64) / 100.0).round(2).cast(pl.String)


def _flag(truth: pl.Expr) -> pl.Expr:
    return truth.replace_strict({True: "1", False: "0"}, default=None, return_dtype=pl.String)


def _day(name: str) -> pl.Expr:
    return pl.col(name).str.to_date("%Y-%m-%d", strict=False).dt.to_string("%d/%m/%Y")


def _live(unit: Unit) -> list[pl.Expr]:
    both = pl.col("hb") & pl.col("ctr")
    tenure = _either("tenure")
    ethnic = {code: number for number, code in f.ETHNIC_CATEGORIES.items() if number != "99"}
    lha = pl.col("hb_weekly_lha_pence")
    named: dict[str, pl.Expr] = {
        f.RECORD_TYPE: pl.lit("D"),
        f.HB_CLAIM: pl.when(pl.col("hb")).then(_REF),
        f.CTB_CLAIM: pl.when(pl.col("ctr") & ~both).then(_REF),
        f.NINO: pl.col("nino"),
        f.DATE_OF_BIRTH: pl.col("date_of_birth"),
        f.TENANCY: pl.when(pl.col("hb") | (tenure == Tenure.OWNER.value))
        .then(tenure.replace(_TENANCIES))
        .otherwise(pl.lit("7")),
        f.ACCOMMODATION: pl.when(tenure == Tenure.TEMPORARY.value).then(pl.lit("1")),
        f.POSTCODE: pl.col("postcode"),
        f.PASSPORTED: _either("passported").replace({kind.value: code for kind, code in PASSPORTED.items()}),
        f.CHILDREN: _either("children_declared").cast(pl.String),
        f.NON_DEPENDANTS: _either("non_dependants_declared").cast(pl.String),
        f.ELIGIBLE_RENT: _money(pl.col("hb_weekly_eligible_rent_pence"), unit),
        f.CONTRACTUAL_RENT: _money(pl.col("hb_weekly_contractual_rent_pence"), unit),
        f.RENT_PERIOD: pl.when(pl.col("hb_weekly_contractual_rent_pence").is_not_null()).then(pl.lit(RENT_PERIOD)),
        f.LHA: _money(lha, unit),
        f.LHA_APPLIES: pl.when(lha.is_not_null()).then(pl.lit("Yes")).otherwise(pl.lit("No")),
        f.COUNCIL_TAX: _money(_either("weekly_council_tax_pence"), unit),
        f.INCOME[0]: _money(_either("weekly_income_pence"), unit),
        f.CAPITAL[0]: _money(_either("capital_pence"), unit),
        f.EARNINGS[0]: _money(_either("weekly_earnings_pence"), unit),
        f.PARTNER_EARNINGS[0]: _money(_either("weekly_earnings_pence", "_partner"), unit),
        f.HOURS: _either("weekly_work_hours").cast(pl.String),
        f.PARTNER_HOURS: _either("weekly_work_hours", "_partner").cast(pl.String),
        f.DISABILITY_PREMIUMS[0]: _flag(_either("disability_premium")),
        f.CARER_PREMIUM: _flag(_either("carer_premium")),
        f.PARTNER_FLAG: pl.when(pl.col("order_partner").is_not_null()).then(pl.lit("1")).otherwise(pl.lit("0")),
        f.PARTNER_NINO: pl.col("nino_partner"),
        f.PARTNER_DATE_OF_BIRTH: pl.col("date_of_birth_partner"),
        f.PARTNER_DATE_OF_DEATH: pl.col("date_of_death_partner"),
        f.SEX: pl.col("sex"),
        f.PARTNER_SEX: pl.col("sex_partner"),
        f.ETHNIC_GROUP: pl.col("ethnic_category").replace_strict(ethnic, default=None, return_dtype=pl.String),
        CAP_FIELD: _money(pl.col("hb_weekly_cap_reduction_pence"), unit),
        SUPPORTED_FIELD: _flag(_either("supported_accommodation")),
        f.ADDRESS[0]: pl.col("address"),
    }
    for benefit in _BENEFITS:
        status = {status.value: code for code, status in f.STATUSES.items()}
        named[f.STATUS[benefit]] = pl.col(f"{benefit}_status").replace(status)
        named[f.STARTED[benefit]] = pl.col(f"{benefit}_started_on").cast(pl.Date).dt.to_string("%d/%m/%Y")
        named[f.ENDED[benefit]] = pl.col(f"{benefit}_ended_on").cast(pl.Date).dt.to_string("%d/%m/%Y")
        named[f.AWARD[benefit]] = _money(pl.col(f"{benefit}_weekly_award_pence"), unit)
    for role, suffix in (("claimant", ""), ("partner", "_partner")):
        for name, numbers in f.NAMES[role].items():
            named[numbers[0]] = pl.col(f"{name}{suffix}")
    return [pl.col("order"), *(value.cast(pl.String).alias(number) for number, value in named.items())]


def _members(unit: Unit) -> list[pl.Expr]:
    child = pl.col("claim_role") == ClaimRole.CHILD.value
    place = (pl.int_range(pl.len()).over(_REF, "claim_role") + 1).cast(pl.String)
    named: dict[str, pl.Expr] = {
        f.RECORD_TYPE: pl.lit("S"),
        f.HB_CLAIM: pl.when(pl.col("hb")).then(_REF),
        f.CTB_CLAIM: pl.when(~pl.col("hb")).then(_REF),
        f.SUB_TYPE: pl.when(child).then(pl.lit(f.CHILD)).otherwise(pl.lit(f.NON_DEPENDANT)),
        f.SUB_REFERENCE: pl.when(child).then(place).otherwise("nino"),
        f.SUB_DATE_OF_BIRTH: pl.col("date_of_birth"),
        f.NON_DEPENDANT_EARNINGS: pl.when(~child).then(_money(_either("weekly_earnings_pence"), unit)),
        **{numbers[0]: pl.col(name) for name, numbers in f.NAMES["sub"].items()},
    }
    return [pl.col("order"), *(value.cast(pl.String).alias(number) for number, value in named.items())]


def _changes(records: pl.DataFrame) -> pl.DataFrame:
    if "claim_changes" not in records.columns:
        return pl.DataFrame(schema={"order": pl.UInt32()})
    listed = records.select("claim_changes").explode("claim_changes", empty_as_null=False, keep_nulls=False)
    return listed.unnest("claim_changes").select(
        pl.lit(records.height, dtype=pl.UInt32()).alias("order"),
        pl.lit("T").alias(f.RECORD_TYPE),
        pl.col(_REF).alias(f.HB_CLAIM),
        pl.col("changed_on").cast(pl.Date).dt.to_string("%d/%m/%Y").alias(f.EFFECTIVE),
    )


def _spoilt(body: pl.DataFrame, defects: Defects, chance: np.random.Generator) -> pl.DataFrame:
    live = body[f.RECORD_TYPE] == "D"
    empty = live & pl.Series(chance.random(body.height) < defects.empty_nino)
    dummy = live & ~empty & pl.Series(chance.random(body.height) < defects.dummy_nino)
    body = body.with_columns(
        pl.when(~empty).then(pl.when(dummy).then(pl.lit("XX999001A")).otherwise(f.NINO)).alias(f.NINO)
    )
    members = body.filter(pl.col(f.RECORD_TYPE) == "S").head(defects.members_without_claim)
    strays = members.with_columns(pl.lit(None, pl.String).alias(f.CTB_CLAIM), pl.lit("gone").alias(f.HB_CLAIM))
    return pl.concat([body, strays, body.filter(live).head(defects.repeated_claims)])
