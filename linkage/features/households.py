"""Who lives with whom, on four bases that are never mixed: the claim, the council-tax account, the property, and the
homelessness case.

A household is of subjects: what a claim or a case names. Its members are those subjects' persons with all that any
source says of them, and a subject whose person is not known yet stands for itself. A person has at most one household
on each basis.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from linkage.features.context import Context
from linkage.features.people import age_years
from linkage.features.tables import NUMBER, SUBJECT
from schemas.codes import Benefit, ClaimStatus, PropertyMatch
from schemas.contracts.base import Feed
from schemas.contracts.subject import ClaimRole

CLAIM: Final = ("source", "claim_ref")
ROLE_ORDER: Final = {role.value: rank for rank, role in enumerate(ClaimRole)}
MOST_RESIDENTS: Final = 10
"""A property with more people is taken for an institution or a wrong match (rule of the Clinical Effectiveness Group,
Queen Mary University of London)."""


@dataclass(frozen=True)
class Households:
    """The households of one basis.

    `people` has `person_id, household`, one row for each person who has one; `members` has `household` and the
    `source, subject_ref` of every subject of every member, whoever is among the persons.
    """

    people: pl.DataFrame
    members: pl.DataFrame

    def facts(self, context: Context, kind: str) -> pl.DataFrame:
        """Return the facts of `kind` of all members: `household, source, subject_ref` and the contract's columns."""
        facts = context.tables.facts[kind].drop(NUMBER, strict=False)
        return self.members.lazy().join(facts, on=list(SUBJECT), how="inner").collect()

    def of_people(self, by_household: pl.DataFrame) -> pl.DataFrame:
        """Return what holds for households as it holds for each person: `person_id` and the columns given."""
        return self.people.join(by_household, on="household", how="left").drop("household")


def current_claims(claims: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return the claim rows that hold on `as_of` (started, not ended), claimants first within each claim.

    With `_rank` of the role, `_paid`, and `household`, the number of the claim.
    """
    return (
        claims.filter(
            (pl.col("started_on").is_null() | (pl.col("started_on") <= as_of))
            & (pl.col("ended_on").is_null() | (pl.col("ended_on") > as_of))
        )
        .with_columns(
            pl.col("role").replace_strict(ROLE_ORDER, default=len(ROLE_ORDER), return_dtype=pl.Int8).alias("_rank"),
            (pl.col("status") == ClaimStatus.IN_PAYMENT.value).fill_null(False).alias("_paid"),
        )
        .sort(
            *CLAIM,
            "_rank",
            "_paid",
            "started_on",
            "subject_ref",
            "benefit",
            descending=[False, False, False, True, True, False, False],
            nulls_last=True,
        )
        .with_columns(pl.struct(CLAIM).rle_id().alias("household"))
    )


def claims_now(context: Context) -> pl.DataFrame:
    """Return `current_claims` of everybody, worked out once for all groups."""
    return context.once("claims_now", lambda: current_claims(context.everybody("claims"), context.as_of))


def claimants_ages(context: Context) -> pl.DataFrame:
    """Return `_age` of every subject of a claim that holds, as the subject's own record gives the month of birth."""

    def found() -> pl.DataFrame:
        who = claims_now(context).lazy().select(SUBJECT).unique()
        born = context.tables.facts["demographics"].join(who, on=list(SUBJECT), how="semi")
        return born.select(*SUBJECT, age_years(pl.col("birth_year_month"), context.as_of).alias("_age")).collect()

    return context.once("claimants_ages", found)


def paid_benefits(context: Context) -> pl.DataFrame:
    """Return which benefits each claim pays: `household` and a boolean a benefit, named by its code."""
    return context.once(
        "paid_benefits",
        lambda: (
            claims_now(context)
            .group_by("household", maintain_order=True)
            .agg(
                pl.col("_paid").filter(pl.col("benefit") == benefit.value).first().fill_null(False).alias(benefit.value)
                for benefit in Benefit
            )
        ),
    )


def claims_held(context: Context) -> pl.DataFrame:
    """Return the persons' rows of `claims_now` with `person_id`, each person's best claim first.

    In payment before not, then by role, then the newest, then by reference.
    """

    def held() -> pl.DataFrame:
        paid = paid_benefits(context).select("household", pl.any_horizontal(*map(str, Benefit)).alias("_any_paid"))
        return (
            context.subjects.select("person_id", *SUBJECT)
            .join(claims_now(context), on=list(SUBJECT), how="inner")
            .join(paid, on="household", how="left")
            .sort(
                "person_id",
                "_any_paid",
                "_rank",
                "started_on",
                *CLAIM,
                descending=[False, True, False, True, False, False],
                nulls_last=True,
            )
        )

    return context.once("claims_held", held)


def claim_households(context: Context) -> Households:
    """Return the households of claims: claimant, partner, children and non-dependants of each person's best claim."""

    def found() -> Households:
        people = claims_held(context).group_by("person_id", maintain_order=True).agg(pl.col("household").first())
        return Households(people, _with_persons(context, claims_now(context).select("household", *SUBJECT)))

    return context.once("claim_households", found)


def claim_units(context: Context) -> pl.DataFrame:
    """Return `household, source, subject_ref` of every subject of claimants and partners: who share an income."""
    rank = ROLE_ORDER[ClaimRole.PARTNER.value]
    return context.once(
        "claim_units",
        lambda: _with_persons(
            context, claims_now(context).filter(pl.col("_rank") <= rank).select("household", *SUBJECT)
        ),
    )


def account_households(context: Context) -> Households:
    """Return the households of council-tax accounts: the members of all claims that name the account.

    The account stands on the claimant's row; accounts of two sources of one controller are one.
    """

    def found() -> Households:
        named = (
            claims_now(context)
            .group_by("household", "source", maintain_order=True)
            .agg(pl.col("account_ref").drop_nulls().first())
            .filter(pl.col("account_ref").is_not_null())
            .select(
                pl.col("household").alias("_claim"),
                pl.concat_str(controller(), pl.lit(" "), "account_ref").rank("dense").alias("household"),
            )
        )
        held = (
            claims_held(context)
            .rename({"household": "_claim"})
            .join(named, on="_claim", how="inner", maintain_order="left")
        )
        people = held.group_by("person_id", maintain_order=True).agg(pl.col("household").first())
        rows = claims_now(context).rename({"household": "_claim"}).join(named, on="_claim", how="inner")
        return Households(people, _with_persons(context, rows.select("household", *SUBJECT)))

    return context.once("account_households", found)


def case_rows(context: Context) -> pl.DataFrame:
    """Return everybody's rows of homelessness cases that are open on the date, with `household`, the case's number."""

    def found() -> pl.DataFrame:
        ended = pl.col("ended_on")
        rows = context.everybody("homelessness").filter(
            (pl.col("started_on") <= context.as_of) & (ended.is_null() | (ended > context.as_of))
        )
        return rows.with_columns(pl.struct("source", "case_ref").rank("dense").alias("household"))

    return context.once("case_rows", found)


def case_households(context: Context) -> Households:
    """Return the households of homelessness cases that are open on the date; a person's newest case counts."""

    def found() -> Households:
        rows = case_rows(context)
        people = (
            context.subjects.select("person_id", *SUBJECT)
            .join(rows, on=list(SUBJECT), how="inner")
            .sort("person_id", "started_on", "source", "case_ref", descending=[False, True, False, False])
            .group_by("person_id", maintain_order=True)
            .agg(pl.col("household").first())
        )
        return Households(people, _with_persons(context, rows.select("household", *SUBJECT)))

    return context.once("case_households", found)


def homes(context: Context) -> pl.DataFrame:
    """Return where each person of a health source lives: `person_id, property_ref, property_match, residents`.

    The best health subject that says anything of a property decides. `residents` counts the persons at a property
    that is matched as a residence, and is null elsewhere.
    """

    def found() -> pl.DataFrame:
        stated = (
            context.subjects.filter((pl.col("feed") == Feed.HEALTH.value) & pl.col("property_match").is_not_null())
            .group_by("person_id", maintain_order=True)
            .agg(pl.col("property_ref", "property_match").first())
        )
        lives = (pl.col("property_match") == PropertyMatch.RESIDENCY.value) & pl.col("property_ref").is_not_null()
        return stated.with_columns(
            pl.when(lives).then(lives.sum().over("property_ref")).cast(pl.Int32).alias("residents")
        )

    return context.once("homes", found)


def property_households(context: Context) -> Households:
    """Return the households of properties: who share one on the lists of health sources.

    Only properties matched as a residence with at most `MOST_RESIDENTS` people make one.
    """

    def found() -> Households:
        people = homes(context).filter(pl.col("residents") <= MOST_RESIDENTS)
        people = people.select("person_id", pl.col("property_ref").rank("dense").alias("household"))
        members = people.join(context.subjects.select("person_id", *SUBJECT), on="person_id", how="inner")
        return Households(people, members.drop("person_id"))

    return context.once("property_households", found)


def controller() -> pl.Expr:
    """Return the controller of a row's `source`: the part before the dot."""
    return pl.col("source").str.split(".").list.first()


def _with_persons(context: Context, named: pl.DataFrame) -> pl.DataFrame:
    """Return `named` (household and subject) and every other subject of those subjects' persons."""
    whose = context.subjects.select("person_id", *SUBJECT)
    persons = named.join(whose, on=list(SUBJECT), how="inner").select("household", "person_id").unique()
    theirs = persons.join(whose, on="person_id", how="inner").select("household", *SUBJECT)
    return pl.concat([named.select("household", *SUBJECT), theirs]).unique()
