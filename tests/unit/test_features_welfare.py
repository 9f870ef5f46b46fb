"""Claims and their households: what holds for a claim holds for everybody in it, and for nobody else."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from linkage.features import FeatureTables, compute

AS_OF = date(2026, 6, 30)
SHBE = "medway.shbe"


def _claim(who: str, ref: str = "c1", role: str = "claimant", benefit: str = "hb", **more: object) -> dict[str, object]:
    return {
        "source": SHBE,
        "subject_ref": who,
        "claim_ref": ref,
        "benefit": benefit,
        "role": role,
        "status": "in_payment",
        "started_on": date(2025, 1, 1),
        "ended_on": None,
        "tenure": None,
        "weekly_income_pence": None,
        **more,
    }


def _people(
    *claims: dict[str, object],
    arrears: dict[str, int] | None = None,
    born: dict[str, str] | None = None,
    same: tuple[str, ...] = (),
) -> dict[str, dict[str, object]]:
    """Features by subject; the subjects named in `same` are one person, called `same`."""
    who = sorted({str(claim["subject_ref"]) for claim in claims})
    facts = {
        "demographics": pl.DataFrame(
            [
                {
                    "source": SHBE,
                    "subject_ref": w,
                    "feed": "welfare",
                    "version": 1,
                    "birth_year_month": (born or {}).get(w),
                }
                for w in who
            ],
            infer_schema_length=None,
        ),
        "claims": pl.DataFrame([*claims, _claim("nobody", "c0", benefit="ctr"), _claim("nobody", "c0", benefit="uc")]),
        "arrears": pl.DataFrame(
            [
                {"source": SHBE, "subject_ref": w, "kind": "council_tax", "balance_pence": p}
                for w, p in {"nobody": 1, **(arrears or {})}.items()
            ]
        ),
    }
    membership = pl.DataFrame(
        [
            {"person_id": "same" if w in same else w, "source": SHBE, "subject_ref": w, "link_probability": 1.0}
            for w in who
        ]
    )
    geography = pl.DataFrame({"lsoa": [], "ward": [], "authority": [], "imd_decile": []})
    computed = compute(FeatureTables.from_facts(facts, geography), membership, AS_OF)
    return {str(row["person_id"]): row for row in computed.to_dicts()}


def test_everybody_in_a_claim_has_its_household() -> None:
    people = _people(
        _claim("mother", tenure="private_rent", weekly_income_pence=20_000),
        _claim("son", role="child"),
        _claim("daughter", role="child"),
        _claim("lodger", role="non_dependant"),
        _claim("stranger", "c2"),
        arrears={"lodger": 10_000, "mother": 45_000},
    )
    for who in ("mother", "son", "daughter", "lodger"):
        person = people[who]
        assert person["household_size"] == 4
        assert person["children_in_household"] == 2
        assert person["household_type"] == "lone_parent"
        assert person["tenure"] == "private_rent"
        assert person["income_band"] == "150_to_299"
        assert person["arrears_band"] == "500_to_1999"
        assert person["hb_in_payment"] is True
    assert people["stranger"]["household_size"] == 1
    assert people["stranger"]["arrears_band"] == "none"


@pytest.mark.parametrize(
    ("roles", "born", "kind"),
    [
        (("claimant",), {}, "single"),
        (("claimant", "partner"), {}, "couple"),
        (("claimant", "child"), {}, "lone_parent"),
        (("claimant", "partner", "child"), {}, "couple_with_children"),
        (("claimant", "non_dependant"), {}, "multi_adult"),
        (("claimant", "partner"), {"0": "1959-06", "1": "1958-06"}, "pensioner"),
        (("claimant", "partner"), {"0": "1960-06", "1": "1960-06"}, "pensioner"),
        (("claimant", "partner"), {"0": "1960-06", "1": "1970-01"}, "couple"),
        (("claimant",), {"0": "1960-07"}, "single"),
        (("claimant",), {"0": "1960-06"}, "pensioner"),
        (("claimant", "partner"), {"0": "1950-01"}, "couple"),
    ],
)
def test_the_shape_of_a_household_follows_from_its_roles(
    roles: tuple[str, ...], born: dict[str, str], kind: str
) -> None:
    people = _people(*(_claim(str(n), role=role) for n, role in enumerate(roles)), born=born)
    assert {person["household_type"] for person in people.values()} == {kind}


@pytest.mark.parametrize(
    ("started", "ended", "holds"),
    [
        (date(2026, 6, 30), None, True),
        (date(2026, 7, 1), None, False),
        (None, None, True),
        (date(2020, 1, 1), date(2026, 6, 30), False),
        (date(2020, 1, 1), date(2026, 7, 1), True),
    ],
)
def test_a_claim_holds_from_its_start_until_before_its_end(
    started: date | None, ended: date | None, holds: bool
) -> None:
    person = _people(_claim("a", started_on=started, ended_on=ended), _claim("b", "c2"))["a"]
    assert person["hb_in_payment"] is holds
    assert person["household_size"] == (1 if holds else None)


@pytest.mark.parametrize(
    ("status", "paid"), [("in_payment", True), ("suspended", False), ("other", False), (None, False)]
)
def test_only_a_claim_in_payment_pays(status: str | None, paid: bool) -> None:
    people = _people(_claim("a", status=status), _claim("b", "c2"))
    assert people["a"]["hb_in_payment"] is paid


def test_the_claimants_row_says_whether_a_claim_pays() -> None:
    people = _people(_claim("a", status="other"), _claim("b", role="child", status="in_payment"))
    assert people["b"]["hb_in_payment"] is False


def test_benefits_count_over_all_of_a_persons_claims() -> None:
    people = _people(
        _claim("a", "c1"), _claim("a", "c2", benefit="uc"), _claim("b", "c2", role="partner", benefit="uc")
    )
    assert (people["a"]["hb_in_payment"], people["a"]["uc_in_payment"]) == (True, True)
    assert (people["b"]["hb_in_payment"], people["b"]["uc_in_payment"]) == (False, True)
    assert people["a"]["ctr_in_payment"] is False


def test_a_person_in_two_claims_has_the_household_in_payment_then_the_one_they_claim_for() -> None:
    home = [_claim("son", "c1", "non_dependant"), _claim("mother", "c1"), _claim("sister", "c1", "child")]
    own = _claim("son-again", "c2", status="suspended")
    assert _people(*home, own, same=("son", "son-again"))["same"]["household_size"] == 3
    paid = {**own, "status": "in_payment"}
    assert _people(*home, paid, same=("son", "son-again"))["same"]["household_size"] == 1


def test_a_claim_of_two_benefits_is_one_household() -> None:
    people = _people(
        *(_claim(who, role=role, benefit=b) for who, role in (("a", "claimant"), ("b", "child")) for b in ("hb", "ctr"))
    )
    assert people["a"]["household_size"] == 2
    assert people["a"]["children_in_household"] == 1


def test_income_comes_from_the_first_claim_that_states_it() -> None:
    people = _people(
        _claim("a", "c9", benefit="uc", started_on=date(2026, 1, 1)),
        _claim("a", "c1", weekly_income_pence=31_000, tenure="owner"),
    )
    assert (people["a"]["income_band"], people["a"]["tenure"]) == ("300_to_499", "owner")


@pytest.mark.parametrize(
    ("pence", "band"),
    [
        (-500, "none"),
        (0, "none"),
        (1, "under_500"),
        (49_999, "under_500"),
        (50_000, "500_to_1999"),
        (200_000, "2000_and_over"),
    ],
)
def test_arrears_are_banded_in_pounds_and_credits_are_none(pence: int, band: str) -> None:
    assert _people(_claim("a"), arrears={"a": pence})["a"]["arrears_band"] == band


@pytest.mark.parametrize(
    ("pence", "band"),
    [(0, "under_150"), (14_999, "under_150"), (15_000, "150_to_299"), (50_000, "500_and_over"), (None, None)],
)
def test_income_is_banded_in_pounds_a_week(pence: int | None, band: str | None) -> None:
    people = _people(_claim("a", weekly_income_pence=pence), _claim("b", "c2", weekly_income_pence=1))
    assert people["a"]["income_band"] == band
