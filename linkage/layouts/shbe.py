"""Single Housing Benefit Extract: from numbered records to one clear row for each person of each live claim.

A claim is a D record: its claimant, and the partner if its flag says that there is one. Its S records are children and
non-dependants; T records are its changes of circumstances. Where it is for rent and for council tax at once, both facts
bear one reference: it is one household. Fields, headers and codes stand in `shbe_fields`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import polars as pl

from linkage.layouts import shbe_fields as f
from linkage.layouts.facts import joined, single
from linkage.layouts.mapped import Mapped
from linkage.layouts.money import Unit, pence
from linkage.normalise import dates
from schemas.codes import AwardKind, Benefit, Passported, Tenure
from schemas.contracts.subject import ClaimRole

ROW: Final = "row"
_REF: Final = "claim_reference"
_ROWS_AT_ONCE: Final = 20_000
"""People whose facts are built at once. For 100,000 claims, all at once take 2.4 GiB, these 1.2 GiB."""
_BENEFITS: Final = {"hb": Benefit.HOUSING_BENEFIT, "ctr": Benefit.COUNCIL_TAX_REDUCTION}
_DUMMY_NINO: Final = r"(?i)^XX"
"""Numbers that councils type for want of one start so; several people bear the same."""


@dataclass(frozen=True)
class Terms:
    """What one council's extracts leave open.

    `unit` of all amounts. `passported`: values of field 12 -> `Passported`. `rent_period_weeks`: values of field 182 ->
    weeks that the contractual rent is for; without its period a contractual rent is left out. `cap_field` and
    `supported_field` are the numbers of the weekly benefit-cap reduction and of the marker of supported accommodation,
    which came to the extract after the source of this layout.
    """

    unit: Unit
    passported: Mapping[str, Passported] = field(default_factory=dict)
    rent_period_weeks: Mapping[str, float] = field(default_factory=dict)
    cap_field: str | None = None
    supported_field: str | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """Field numbers to read beside `shbe_fields.USED`."""
        return tuple(number for number in (self.cap_field, self.supported_field) if number is not None)


def clear_rows(frame: pl.DataFrame, terms: Terms, extracted_on: date) -> Mapped:
    """Return one clear row per person of each live claim from `frame`: `ROW` (Int64) and numbered String columns.

    A record id names claim and place in it (claimant, partner) or who it is (a child's reference, a non-dependant's
    number), so that it is the same in every month's extract. S and T records whose claim is not there are left out and
    counted: of a claim that is not live they say nothing that could be used, and a full extract is to withdraw it.
    """
    wanted = (*f.USED, *f.FORBIDDEN, *terms.fields)
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in wanted if name not in frame.columns]
    frame = frame.with_columns(*absent, pl.col(f.RECORD_TYPE).str.to_uppercase())
    counts = _record_types(frame)

    live = frame.filter(pl.col(f.RECORD_TYPE) == "D").with_columns(pl.coalesce(f.HB_CLAIM, f.CTB_CLAIM).alias(_REF))
    repeated = pl.col(_REF).is_not_null() & ~pl.col(_REF).is_first_distinct()
    counts["live claims that stand there twice, the first kept"] = live.select(repeated.sum()).item()
    live = live.filter(~repeated)
    named_by = _references(live)

    subs, sub_counts = _sub_records(_of_claims(frame, "S", named_by), extracted_on)
    counts.update(sub_counts)
    changes = _of_claims(frame, "T", named_by)
    counts["changes (T) without a live claim, left out"] = changes[_REF].null_count()
    several = (pl.col(f.PARTNER_FLAG) == "2").sum()
    counts["claims with more than one partner, of whom one is described"] = live.select(several).item()

    people = pl.concat([_claimants(live), _partners(live.filter(_has_partner())), _members(subs)], how="diagonal")
    whole = people.join(_claim_facts(live, terms), on=_REF, how="left", maintain_order="left").join(
        _changes(changes), on=_REF, how="left", maintain_order="left"
    )
    ordered = whole.sort(ROW, maintain_order=True)
    slices = range(0, max(ordered.height, 1), _ROWS_AT_ONCE)
    return Mapped(
        pl.concat([_record(ordered[first : first + _ROWS_AT_ONCE], terms, extracted_on) for first in slices]),
        ordered[ROW],
        {what: number for what, number in counts.items() if number},
        {f"field {number} ({what})": n for number, what in f.FORBIDDEN.items() if (n := frame[number].count())},
    )


def _record(people: pl.DataFrame, terms: Terms, extracted_on: date) -> pl.DataFrame:
    """Return the clear columns of people who have their claim's facts beside them."""
    discretionary = pl.col("discretionary").cast(pl.Float64, strict=False)
    return people.select(
        "record_id", "nino", "forename", "middle_names", "surname", "date_of_birth", "date_of_death", "sex", "postcode",
        "address", "ethnic_category", _REF, pl.col("role").alias("claim_role"),
        joined(*(_membership(name, terms) for name in _BENEFITS)).alias("claims"),
        pl.when(_is_claimant()).then("claim_changes").alias("claim_changes"),
        single(
            _is_claimant() & (discretionary > 0).fill_null(False),
            kind=pl.lit(AwardKind.DISCRETIONARY_HOUSING_PAYMENT.value),
            awarded_on=pl.lit(extracted_on.isoformat()),
        ).alias("awards"),
    )  # fmt: skip


def claimants(frame: pl.DataFrame) -> pl.DataFrame:
    """Return who claims, for files that name nobody but by a claim's reference: `own` (either benefit's reference), the
    claim's `claim_reference`, and the claimant's identity columns. `frame` is as for `clear_rows`.
    """
    absent = [pl.lit(None, dtype=pl.String).alias(name) for name in f.USED if name not in frame.columns]
    live = frame.with_columns(*absent).filter(pl.col(f.RECORD_TYPE).str.to_uppercase() == "D")
    live = live.with_columns(pl.coalesce(f.HB_CLAIM, f.CTB_CLAIM).alias(_REF))
    who = live.unique(_REF, keep="first", maintain_order=True).select(
        _REF,
        *_identity("claimant", nino=f.NINO, date_of_birth=f.DATE_OF_BIRTH, sex=f.SEX),
        *_home(),
    )
    return _references(live).join(who, on=_REF, how="inner", maintain_order="left")


def _record_types(frame: pl.DataFrame) -> dict[str, int]:
    found = dict(frame.group_by(f.RECORD_TYPE).len().iter_rows())
    counts = {what: found.pop(letter, 0) for letter, what in f.RECORD_TYPES.items()}
    return {**counts, "records of no known type, left out": sum(found.values())}


def _references(live: pl.DataFrame) -> pl.DataFrame:
    """Return which claim (`_REF`) each benefit's own reference stands for: columns `own`, `_REF`, `own` unique."""
    pairs = [live.select(pl.col(name).alias("own"), _REF) for name in (f.HB_CLAIM, f.CTB_CLAIM)]
    return pl.concat(pairs).drop_nulls().unique("own", keep="first", maintain_order=True)


def _of_claims(frame: pl.DataFrame, letter: str, named_by: pl.DataFrame) -> pl.DataFrame:
    """Return the records of one type with their claim, null where it is not live."""
    found = frame.filter(pl.col(f.RECORD_TYPE) == letter)
    for number, place in ((f.HB_CLAIM, "by_hb"), (f.CTB_CLAIM, "by_ctb")):
        found = found.join(
            named_by.rename({_REF: place}), left_on=number, right_on="own", how="left", maintain_order="left"
        )
    return found.with_columns(pl.coalesce("by_hb", "by_ctb").alias(_REF))


def _sub_records(subs: pl.DataFrame, extracted_on: date) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the present members of live claims with `role` and `member`, what tells them apart in their claim."""
    ended = dates.parse(subs[f.SUB_ENDED], date(9999, 12, 30))["date"].str.to_date("%Y%m%d", strict=False)
    judged = subs.with_columns(
        over=(ended < extracted_on).fill_null(False),
        role=pl.col(f.SUB_TYPE).replace_strict(
            {f.CHILD: ClaimRole.CHILD.value, f.NON_DEPENDANT: ClaimRole.NON_DEPENDANT.value},
            default=None,
            return_dtype=pl.String,
        ),
    )
    live = judged.filter(pl.col(_REF).is_not_null())
    present = live.filter(~pl.col("over"), pl.col("role").is_not_null())
    reference = pl.when(~pl.col(f.SUB_REFERENCE).str.contains(_DUMMY_NINO)).then(f.SUB_REFERENCE)
    told = present.with_columns(reference=reference)
    again = pl.col("reference").is_not_null() & ~pl.struct(_REF, "role", "reference").is_first_distinct()
    once = told.filter(~again).with_columns(
        member=pl.coalesce("reference", pl.concat_str(pl.lit("born "), f.SUB_DATE_OF_BIRTH), pl.lit("unnamed"))
    )
    ordinal = pl.int_range(pl.len()).over(_REF, "role", "member")
    return once.with_columns(ordinal=ordinal), {
        "members (S) without a live claim, left out": subs.height - live.height,
        "members (S) who have left their claim, left out": live.select(pl.col("over").sum()).item(),
        "members (S) neither child nor non-dependant, left out": live.filter(~pl.col("over"))["role"].null_count(),
        "members (S) who stand in a claim twice, the first kept": told.select(again.sum()).item(),
    }


def _has_partner() -> pl.Expr:
    said = pl.col(f.PARTNER_FLAG)
    described = pl.any_horizontal(pl.col(f.PARTNER_NINO, f.PARTNER_DATE_OF_BIRTH).is_not_null())
    return said.is_in(["1", "2"]) | (said.is_null() & described)


def _identity(role: str, **columns: str) -> list[pl.Expr]:
    names = {name: pl.coalesce(numbers) for name, numbers in f.NAMES[role].items()}
    return [
        *(value.alias(name) for name, value in names.items()),
        *(pl.col(number).alias(name) for name, number in columns.items()),
    ]


def _home() -> list[pl.Expr]:
    address = pl.concat_str(pl.col(*f.ADDRESS), separator=", ", ignore_nulls=True).replace("", None)
    return [pl.col(f.POSTCODE).alias("postcode"), address.alias("address")]


def _placed(role: ClaimRole) -> list[pl.Expr]:
    return [
        pl.col(ROW), pl.col(_REF), pl.lit(role.value).alias("role"),
        pl.concat_str(_REF, pl.lit(role.value), separator="|").alias("record_id"),
    ]  # fmt: skip


def _claimants(live: pl.DataFrame) -> pl.DataFrame:
    ethnicity = pl.col(f.ETHNIC_GROUP).replace(f.ETHNIC_CATEGORIES).fill_null("Z")
    return live.select(
        *_placed(ClaimRole.CLAIMANT),
        *_identity("claimant", nino=f.NINO, date_of_birth=f.DATE_OF_BIRTH, sex=f.SEX),
        ethnicity.alias("ethnic_category"),
        _total(f.EARNINGS).alias("earnings"),
        pl.col(f.HOURS).alias("hours"),
        _any_flag(f.DISABILITY_PREMIUMS).alias("disability_premium"),
        _any_flag((f.CARER_PREMIUM,)).alias("carer_premium"),
        pl.col(f.DISCRETIONARY).alias("discretionary"),
    )


def _partners(couples: pl.DataFrame) -> pl.DataFrame:
    return couples.select(
        *_placed(ClaimRole.PARTNER),
        *_identity(
            "partner", nino=f.PARTNER_NINO, date_of_birth=f.PARTNER_DATE_OF_BIRTH, sex=f.PARTNER_SEX,
            date_of_death=f.PARTNER_DATE_OF_DEATH,
        ),
        _total(f.PARTNER_EARNINGS).alias("earnings"),
        pl.col(f.PARTNER_HOURS).alias("hours"),
    )  # fmt: skip


def _members(subs: pl.DataFrame) -> pl.DataFrame:
    again = pl.when(pl.col("ordinal") > 0).then(pl.concat_str(pl.lit("|"), pl.col("ordinal") + 1)).otherwise(pl.lit(""))
    grown = pl.col("role") == ClaimRole.NON_DEPENDANT.value
    return subs.select(
        ROW,
        _REF,
        "role",
        pl.concat_str(_REF, pl.lit("|"), "role", pl.lit("|"), "member", again).alias("record_id"),
        *_identity("sub", date_of_birth=f.SUB_DATE_OF_BIRTH),
        # A child's reference is no National Insurance number.
        pl.when(grown).then(f.SUB_REFERENCE).alias("nino"),
        pl.when(grown).then(f.NON_DEPENDANT_EARNINGS).alias("earnings"),
    )


def _claim_facts(live: pl.DataFrame, terms: Terms) -> pl.DataFrame:
    """Return what is true of each claim and of all in it, one row a claim: its home, status, amounts as written."""
    council_tax_only = pl.col(f.TENANCY).is_in(f.COUNCIL_TAX_ONLY)
    in_cap = (pl.col(f.ACCOMMODATION) != "0").fill_null(False)
    lha_applies = pl.col(f.LHA_APPLIES).str.to_lowercase().is_in(["1", "yes", "y"]).fill_null(False)
    has = {
        "hb": ~council_tax_only.fill_null(False) & (pl.col(f.TENANCY).is_not_null() | pl.col(f.HB_CLAIM).is_not_null()),
        "ctr": council_tax_only.fill_null(False) | pl.col(f.STATUS["ctr"]).is_not_null(),
    }
    return live.select(
        _REF,
        *_home(),
        pl.when(in_cap)
        .then(pl.lit(Tenure.TEMPORARY.value))
        .otherwise(pl.col(f.TENANCY).replace({code: tenure.value for code, tenure in f.TENURES.items()}))
        .alias("tenure"),
        pl.col(f.PASSPORTED)
        .replace({code: kind.value for code, kind in {**f.PASSPORTED_UNMAPPED, **terms.passported}.items()})
        .alias("passported"),
        pl.col(f.CHILDREN).alias("children"),
        pl.col(f.NON_DEPENDANTS).alias("non_dependants"),
        pl.col(f.ELIGIBLE_RENT).alias("eligible_rent"),
        _weekly_rent(terms).alias("contractual_rent_pence"),
        pl.when(lha_applies).then(f.LHA).alias("lha"),
        pl.col(f.COUNCIL_TAX).alias("council_tax"),
        _total(f.INCOME).alias("income"),
        _total(f.CAPITAL).alias("capital"),
        _optional(terms.cap_field).alias("cap"),
        _optional(terms.supported_field).alias("supported"),
        *(present.alias(f"has_{name}") for name, present in has.items()),
        *(
            pl.col(numbers[name]).alias(f"{what}_{name}")
            for what, numbers in (("started", f.STARTED), ("ended", f.ENDED), ("award", f.AWARD))
            for name in _BENEFITS
        ),
        *(
            pl.col(f.STATUS[name])
            .replace({code: status.value for code, status in f.STATUSES.items()})
            .fill_null("other")
            .alias(f"status_{name}")
            for name in _BENEFITS
        ),
    )


def _membership(name: str, terms: Terms) -> pl.Expr:
    """Return the fact of one benefit's claim on each person's row; the household's amounts on the claimant's only.

    Rent belongs to Housing Benefit; what is true of the household stands in both.
    """
    nothing = pl.lit(None, dtype=pl.String)

    def claimants(value: pl.Expr) -> pl.Expr:
        return pl.when(_is_claimant()).then(value)

    def money(column: str) -> pl.Expr:
        return pence(pl.col(column), terms.unit)

    housing = name == "hb"
    return single(
        pl.col(f"has_{name}"),
        claim_reference=pl.col(_REF),
        benefit=pl.lit(_BENEFITS[name].value),
        role=pl.col("role"),
        status=pl.col(f"status_{name}"),
        started_on=pl.col(f"started_{name}"),
        ended_on=pl.col(f"ended_{name}"),
        tenure=pl.col("tenure"),
        passported=claimants(pl.col("passported")),
        children_declared=claimants(pl.col("children")),
        non_dependants_declared=claimants(pl.col("non_dependants")),
        weekly_award_pence=claimants(money(f"award_{name}")),
        weekly_income_pence=claimants(money("income")),
        weekly_eligible_rent_pence=claimants(money("eligible_rent")) if housing else nothing,
        weekly_contractual_rent_pence=claimants(pl.col("contractual_rent_pence")) if housing else nothing,
        weekly_lha_pence=claimants(money("lha")) if housing else nothing,
        weekly_cap_reduction_pence=claimants(money("cap")) if housing else nothing,
        weekly_council_tax_pence=claimants(money("council_tax")),
        capital_pence=claimants(money("capital")),
        weekly_earnings_pence=money("earnings"),
        weekly_work_hours=pl.col("hours"),
        disability_premium=pl.col("disability_premium"),
        carer_premium=pl.col("carer_premium"),
        supported_accommodation=claimants(pl.col("supported")),
    )


def _changes(changes: pl.DataFrame) -> pl.DataFrame:
    """Return each claim's changes in one list, each dated by when it took effect, or else when it was notified."""
    dated = changes.drop_nulls(_REF).select(
        _REF, claim_changes=pl.struct(_REF, pl.coalesce(f.EFFECTIVE, f.NOTIFIED).alias("changed_on"))
    )
    return dated.group_by(_REF, maintain_order=True).agg("claim_changes")


def _weekly_rent(terms: Terms) -> pl.Expr:
    """The contractual rent a week in whole pence (String), null where the weeks that it is for are not known."""
    known = terms.rent_period_weeks
    weeks = pl.col(f.RENT_PERIOD).replace_strict(
        list(known), list(known.values()), default=None, return_dtype=pl.Float64
    )
    rent = pence(pl.col(f.CONTRACTUAL_RENT), terms.unit).cast(pl.Float64, strict=False)
    return (rent / weeks).round().cast(pl.Int64, strict=False).cast(pl.String)


def _total(numbers: tuple[str, str]) -> pl.Expr:
    """The sum of two amounts as text; one that is missing adds nothing, and text that is no number stands for itself.

    Six decimals keep any unit whole.
    """
    values = [pl.col(number).str.replace_all(r"[£,\s]", "").cast(pl.Float64, strict=False) for number in numbers]
    unreadable = pl.any_horizontal(
        pl.col(number).is_not_null() & value.is_null() for number, value in zip(numbers, values, strict=True)
    )
    given = pl.any_horizontal(pl.col(*numbers).is_not_null())
    total = pl.sum_horizontal(values).round(6).cast(pl.String)
    return pl.when(unreadable).then(pl.coalesce(*numbers)).when(given).then(total)


def _any_flag(numbers: tuple[str, ...]) -> pl.Expr:
    """Whether any of some 0/1 fields is 1, as text; null where all are blank."""
    given = pl.any_horizontal(pl.col(*numbers).is_not_null())
    return pl.when(given).then(pl.any_horizontal((pl.col(*numbers) == "1").fill_null(False)).cast(pl.String))


def _optional(number: str | None) -> pl.Expr:
    return pl.lit(None, dtype=pl.String) if number is None else pl.col(number)


def _is_claimant() -> pl.Expr:
    return pl.col("role") == ClaimRole.CLAIMANT.value
