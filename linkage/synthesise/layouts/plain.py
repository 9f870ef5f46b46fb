"""The plain welfare tables, written in pence: what `linkage.layouts.ctr`, `uc`, `arrears`, `awards` and
`living_standard` read.

Lost on the way: of Council Tax Reduction, rents, allowances, the cap's reduction and supported accommodation; of
Universal Credit, weekly amounts but what the latest period's month makes of them, premiums, hours and rents, and whose
of a couple's a deduction was; of living standards, who defined them, which the settings say.
"""

from __future__ import annotations

import polars as pl

from linkage.layouts.plain import WHO
from linkage.synthesise.layouts.flat import KEY, listed, people
from schemas.codes import Entitlement
from schemas.contracts.subject import ClaimRole

_CLAIM = "claim_reference"


def arrears(frame: pl.DataFrame) -> pl.DataFrame:
    """Return one row a debt."""
    columns = {
        "account_reference": KEY, "kind": "kind", "balance": "balance_pence", "oldest_debt_on": "oldest_debt_on",
        "recovery_stage": "recovery_stage", "weeks_in_arrears": "weeks_in_arrears",
    }  # fmt: skip
    return _with_people(frame, listed(frame, "arrears"), columns)


def awards(frame: pl.DataFrame) -> pl.DataFrame:
    """Return one row an award."""
    columns = {"person_reference": KEY, "kind": "kind", "awarded_on": "awarded_on", "amount": "amount_pence"}
    return _with_people(frame, listed(frame, "awards"), columns)


def living_standard(frame: pl.DataFrame) -> pl.DataFrame:
    """Return one row a household and day on which anything was found of it."""
    standards = listed(frame, "living_standards").unique([KEY, "assessed_on"], keep="first", maintain_order=True)
    missed = listed(frame, "unclaimed").with_columns(worth=pl.col("yearly_pence").fill_null("yes"))
    homes = listed(frame, "dwellings").rename({"recorded_on": "assessed_on"})
    rows = pl.concat([part.select(KEY, "assessed_on") for part in (standards, missed, homes)]).unique(
        maintain_order=True
    )
    parts = [standards.drop("definition_source"), homes.unique([KEY, "assessed_on"], keep="first")]
    for entitlement in Entitlement:
        own = missed.filter(pl.col("entitlement") == entitlement.value).unique([KEY, "assessed_on"], keep="first")
        parts.append(own.select(KEY, "assessed_on", pl.col("worth").alias(f"unclaimed_{entitlement.value}")))
    for part in parts:
        rows = rows.join(part, on=[KEY, "assessed_on"], how="left", maintain_order="left")
    columns = {
        "household_reference": KEY, "category": "category", "assessed_on": "assessed_on", "energy_band": "energy_band",
        "yearly_energy": "yearly_energy_pence",
        **{name: name for name in rows.columns if name.startswith("unclaimed_")},
    }  # fmt: skip
    return _with_people(frame, rows, columns)


def ctr(frame: pl.DataFrame) -> pl.DataFrame:
    """Return one row a person of a claim: their first fact of Council Tax Reduction."""
    facts = listed(frame, "claims").filter(pl.col("benefit") == "ctr").unique(KEY, keep="first", maintain_order=True)
    columns = {
        **_PERSON_OF_CLAIM, "account_reference": "account_reference", "status": "status", "started_on": "started_on",
        "ended_on": "ended_on", "tenure": "tenure", "passported": "passported", "weekly_award": "weekly_award_pence",
        "weekly_liability": "weekly_council_tax_pence", "weekly_income": "weekly_income_pence",
        "capital": "capital_pence", "children": "children_declared", "non_dependants": "non_dependants_declared",
        "weekly_earnings": "weekly_earnings_pence", "weekly_hours": "weekly_work_hours",
        "disability_premium": "disability_premium", "carer_premium": "carer_premium",
    }  # fmt: skip
    return _with_people(frame, _told_apart(facts), columns)


def uc(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the awards, one row a person and assessment period, a child's without one; and the deductions."""
    awards_ = listed(frame, "claims").filter(pl.col("benefit") == "uc").unique(KEY, keep="first", maintain_order=True)
    periods = listed(frame, "credit_periods").drop(_CLAIM)
    rows = _told_apart(awards_).join(periods, on=KEY, how="left", maintain_order="left_right")
    columns = {
        **_PERSON_OF_CLAIM, "period_from": "period_from", "period_to": "period_to", "status": "status",
        "started_on": "started_on", "ended_on": "ended_on", "tenure": "tenure", "children": "children_declared",
        "conditionality": "conditionality", "work_capability": "work_capability", "carer_element": "carer_element",
        "two_child_limit": "two_child_limit", "sanctioned": "sanctioned", "net_award": "monthly_net_award_pence",
        "housing_element": "monthly_housing_element_pence", "earnings": "monthly_earnings_pence",
        "capital": "capital_pence", "cap_reduction": "monthly_cap_reduction_pence",
    }  # fmt: skip
    taken = listed(frame, "deductions").join(awards_.select(KEY, _CLAIM), on=KEY, how="inner", maintain_order="left")
    columns_taken = {_CLAIM: _CLAIM, "reason": "reason", "deducted_on": "deducted_on", "amount": "monthly_pence"}
    return {"uc": _with_people(frame, rows, columns), "deductions": people(taken, columns_taken)}


_PERSON_OF_CLAIM = {_CLAIM: _CLAIM, "role": "role", "person_reference": "person_reference"}


def _told_apart(facts: pl.DataFrame) -> pl.DataFrame:
    """Add `person_reference`: the record id without the claim's reference before it; none for adults without more."""
    bare = pl.col(KEY).str.strip_prefix(pl.concat_str(_CLAIM, pl.lit("|")))
    adult = bare.is_in([ClaimRole.CLAIMANT.value, ClaimRole.PARTNER.value])
    return facts.with_columns(person_reference=pl.when(~adult).then(bare))


def _with_people(frame: pl.DataFrame, facts: pl.DataFrame, columns: dict[str, str]) -> pl.DataFrame:
    who = people(frame, {name: name for name in (KEY, *WHO)})
    joined = facts.join(who, on=KEY, how="inner", maintain_order="left")
    return people(joined, {**columns, **{name: name for name in WHO}})
