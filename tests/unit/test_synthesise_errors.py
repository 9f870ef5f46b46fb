"""What differs between the two records of a person: how often, for whom, and how it grows with `error_scale`."""

from __future__ import annotations

import dataclasses

import jellyfish
import numpy as np
import polars as pl
import pytest

from linkage.synthesise import ErrorRates, Population, mistakes, population
from linkage.synthesise.chance import Chance
from linkage.synthesise.drift import HEALTH, NEITHER, WELFARE, Drift, Odds, drift, group_factor
from linkage.synthesise.names.nicknames import SHORT_FORMS
from linkage.synthesise.naming import KEYS, Naming, name_people
from linkage.synthesise.world import World, build

RATES = ErrorRates()


def matched(made: Population) -> pl.DataFrame:
    """Return pairs of one person side by side, both in capitals, the welfare columns with `_w`."""
    health = made.health.with_columns(pl.col("forename", "surname", "address").str.to_uppercase())
    welfare = made.welfare.with_columns(
        pl.col("forename").str.to_uppercase(),
        pl.col("postcode").str.replace_all(" ", "", literal=True).str.replace(r"(...)$", " $1"),
        pl.col("sex").replace({"M": "1", "F": "2"}),
    )
    return made.truth.join(health, left_on="left_subject", right_on="record_id").join(
        welfare, left_on="right_subject", right_on="record_id", suffix="_w"
    )


def plain(column: str) -> pl.Expr:
    """Return a surname as both files may agree on it: without apostrophes, hyphens and blanks."""
    return pl.col(column).str.replace_all(r"['\- ]", "")


def differing(pairs: pl.DataFrame, column: str) -> float:
    """Return the share of pairs that differ, of those in which both have a value."""
    both = pairs.drop_nulls([column, f"{column}_w"])
    left, right = (plain(c) if column == "surname" else pl.col(c) for c in (column, f"{column}_w"))
    return float(both.select((left != right).mean()).item())


@pytest.fixture(scope="module")
def made() -> Population:
    return population(45_000, 15_000, seed=2)


@pytest.fixture(scope="module")
def pairs(made: Population) -> pl.DataFrame:
    return matched(made)


@pytest.fixture(scope="module")
def world() -> World:
    return build(Chance(4), 60_000)


@pytest.fixture(scope="module")
def naming(world: World) -> Naming:
    return name_people(Chance(4), world)


def drifted(world: World, naming: Naming, scale: float = 1.0, rates: ErrorRates = RATES) -> Drift:
    return drift(Chance(4), world, naming, rates, Odds(rates, scale, group_factor(world, rates)))


def test_without_errors_the_records_of_a_person_agree() -> None:
    one_home = dataclasses.replace(RATES, two_claims=0.0)
    pairs = matched(population(4_000, 1_500, error_scale=0.0, rates=one_home))
    for column in ("forename", "surname", "date_of_birth", "sex", "postcode", "uprn", "lsoa"):
        assert differing(pairs, column) == 0, column
    assert pairs["postcode"].null_count() == 0
    # Habits of the files are no errors: they stay.
    assert pairs["uprn_w"].null_count() > 0
    assert pairs["forename_w"].null_count() > 0


@pytest.mark.parametrize(
    ("column", "low", "high"),
    [
        ("forename", 0.06, 0.12),
        ("surname", 0.05, 0.10),
        ("date_of_birth", 0.012, 0.025),
        ("sex", 0.002, 0.009),
        ("postcode", 0.07, 0.14),
        ("uprn", 0.06, 0.12),
    ],
)
def test_the_records_of_a_person_differ_as_often_as_said(
    pairs: pl.DataFrame, column: str, low: float, high: float
) -> None:
    assert low < differing(pairs, column) < high


def test_all_errors_grow_with_their_scale(pairs: pl.DataFrame) -> None:
    twice = matched(population(45_000, 15_000, seed=2, error_scale=2.0))
    half = matched(population(45_000, 15_000, seed=2, error_scale=0.5))
    for column in ("forename", "surname", "date_of_birth", "postcode"):
        assert differing(twice, column) == pytest.approx(2 * differing(pairs, column), rel=0.2)
        assert differing(half, column) == pytest.approx(0.5 * differing(pairs, column), rel=0.25)


def test_another_scale_is_the_same_people_with_more_errors(made: Population) -> None:
    more = population(45_000, 15_000, seed=2, error_scale=1.5)
    assert more.truth.equals(made.truth)
    for column in ("claim_reference", "claim_role", "nino"):
        assert more.welfare[column].equals(made.welfare[column])
    # Who had a wrong date of birth has the same wrong one; others join them.
    right = population(45_000, 15_000, seed=2, error_scale=0.0).health["date_of_birth"]
    wrong, wronger = made.health["date_of_birth"], more.health["date_of_birth"]
    hit = (right != wrong) & wrong.is_not_null() & wronger.is_not_null()
    assert hit.sum() > 200
    assert (wrong.filter(hit) == wronger.filter(hit)).all()
    assert (right != wronger).sum() > 1.3 * (right != wrong).sum()


def test_children_in_claims_are_often_without_name_and_sometimes_without_birth_date(made: Population) -> None:
    children = made.welfare.filter(pl.col("claim_role") == "child")
    unnamed = children.filter(pl.col("forename").is_null())
    assert unnamed.height / children.height == pytest.approx(RATES.child_no_name, abs=0.03)
    assert unnamed.select(pl.col("surname", "middle_names").is_null().all()).row(0) == (True, True)
    assert unnamed["date_of_birth"].is_null().mean() == pytest.approx(RATES.unnamed_child_no_birth_date, abs=0.012)
    assert unnamed["sex"].is_not_null().all()
    adults = made.welfare.filter(pl.col("claim_role") != "child")
    assert adults.select(pl.col("forename", "surname").null_count()).row(0) == (0, 0)


def test_some_people_are_in_two_claims(made: Population) -> None:
    twice = made.truth.filter(pl.col("left_subject").is_duplicated())
    people = twice["left_subject"].n_unique()
    assert people / made.welfare.height == pytest.approx(RATES.two_claims, rel=0.35)
    claims = twice.join(made.welfare, left_on="right_subject", right_on="record_id")
    assert (claims.group_by("left_subject").agg(pl.col("claim_reference").n_unique())["claim_reference"] == 2).all()


def test_swapped_names_are_rare_and_commoner_in_some_communities(pairs: pl.DataFrame) -> None:
    named = pairs.drop_nulls("forename_w")
    swapped = (pl.col("forename") == pl.col("surname_w")) & (pl.col("surname") == pl.col("forename_w"))
    shares = named.select(
        swapped.mean().alias("all"),
        swapped.filter(pl.col("ethnic_category") == "A").mean().alias("british"),
        swapped.filter(pl.col("ethnic_category").is_in(list("HJKLRS"))).mean().alias("asian"),
    ).row(0, named=True)
    assert 0.002 < shares["all"] < 0.008
    assert shares["asian"] > 2 * shares["british"]


def test_short_forms_and_slips_are_as_common_as_said(pairs: pl.DataFrame) -> None:
    named = pairs.drop_nulls("forename_w").select("forename", "forename_w")
    forms = {(a.upper(), b.upper()) for a, short in SHORT_FORMS.items() for b in short}
    known_as = np.mean([(a, b) in forms or (b, a) in forms for a, b in named.iter_rows()])
    assert 0.02 < known_as < 0.06
    only_slips = dataclasses.replace(
        ErrorRates(**{field.name: 0.0 for field in dataclasses.fields(RATES) if not field.name.startswith("factor")}),
        **{
            name: getattr(RATES, name)
            for name in ("typed_forename", "typed_surname", "typed_postcode", "typed_address")
        },
        cap=RATES.cap,
    )
    wrong, right = (population(20_000, 200, error_scale=s, rates=only_slips).health for s in (1.0, 0.0))
    columns = ("forename", "surname", "postcode", "address")
    slips = wrong.select(pl.any_horizontal(pl.col(c).ne_missing(right[c]) for c in columns).mean()).item()
    assert 0.045 < slips < 0.07


def test_minorities_and_young_men_have_more_errors(pairs: pl.DataFrame) -> None:
    british = pairs.filter(pl.col("ethnic_category") == "A")
    others = pairs.filter(pl.col("ethnic_category").is_in(list("HJKLMNRS")))
    assert differing(others, "forename") > 1.2 * differing(british, "forename")
    born = pairs["date_of_birth"].str.slice(0, 4).cast(pl.Int64)
    young = pairs.filter((born >= 1997) & (born <= 2005) & (pairs["sex"] == "1"))
    assert differing(young, "postcode") > 1.3 * differing(pairs, "postcode")


def test_brides_change_surname(world: World, naming: Naming) -> None:
    change = drifted(world, naming)
    bride = (world.sex == 1) & (world.age >= 20) & (world.age <= 45)
    changed = change.surname_file != NEITHER
    assert changed[bride].mean() == pytest.approx(0.035 * 1.15 + 0.01, abs=0.012)
    assert changed[~bride].mean() < 0.03
    other = changed & bride & (change.surname_second < 0) & (naming.surname_second < 0)
    assert (change.surname[other] != naming.surname[other]).mean() > 0.95
    assert set(np.unique(change.surname_file)) == {NEITHER, HEALTH, WELFARE}


def test_homes_move_together_and_health_lags_behind(world: World, naming: Naming) -> None:
    change = drifted(world, naming)
    moved = change.stale_file != NEITHER
    assert 0.07 < moved[world.age >= 18].mean() < 0.14
    assert moved[world.age < 18].mean() < 0.06
    assert (change.stale_file[moved] == HEALTH).mean() == pytest.approx(RATES.moved_health_is_stale, abs=0.05)
    now = world.homes.dwelling[world.home]
    assert (change.stale_dwelling[moved] != now[moved]).mean() > 0.99
    young = (world.age >= 18) & (world.age < 30)
    assert moved[young].mean() > 1.4 * moved[world.age >= 40].mean()
    # Most earlier homes are somebody's home today.
    assert 0.5 < np.isin(change.stale_dwelling[moved], world.homes.dwelling).mean() < 0.85


def test_group_factors_multiply(world: World) -> None:
    factor = group_factor(world, RATES)
    young_man = (world.sex == 0) & (world.age >= 20) & (world.age < 30)
    british = world.community == KEYS.index("british")
    calm = ~young_man & british & (world.deprivation < 0.8)
    assert (factor[calm] == 1.0).all()
    assert factor.max() == pytest.approx(1.4 * 1.25 * 1.4)
    assert group_factor(world, dataclasses.replace(RATES, factor_minority=50.0)).max() == 4.0


def test_rates_can_be_passed_in() -> None:
    swapped = dataclasses.replace(RATES, swapped_names=0.5, child_no_name=0.0)
    pairs = matched(population(2_000, 800, rates=swapped))
    assert pairs["forename_w"].null_count() == 0
    assert differing(pairs, "surname") > 0.4


def test_no_rate_goes_above_its_cap() -> None:
    odds = Odds(RATES, 20.0, np.full(20_000, 4.0))
    assert odds.happens(np.random.default_rng(1), 1.0).mean() == pytest.approx(RATES.cap, abs=0.01)


def test_a_slip_is_one_edit_and_spares_the_others() -> None:
    names = pl.Series(["Margaret", "Smith", "Li", None, "O'Brien", "12 High Street"] * 200)
    hit = np.arange(len(names)) % 2 == 0
    wrong = mistakes.mistyped(names, hit, np.random.default_rng(1))
    assert (wrong.eq_missing(names) | pl.Series(hit)).all()
    touched = [(a, b) for a, b in zip(names, wrong, strict=True) if a is not None and a != b]
    assert len(touched) > 300
    assert all(jellyfish.damerau_levenshtein_distance(a, b) == 1 for a, b in touched)
    assert names[0] == "Margaret"


def test_spellings_by_ear_stay_near() -> None:
    names = pl.Series(["Mohammed", "Stephen", "Wratten", "Kowalski", "Xu", None] * 50)
    hit = np.ones(len(names), dtype=bool)
    heard = mistakes.respelt(names, hit, np.random.default_rng(1))
    assert set(heard[0::6]) <= {"Muhammad", "Mohammad", "Mohamed", "Muhammed", "Mohamad"}
    assert set(heard[1::6]) == {"Steven"}
    assert (heard[2::6] != "Wratten").all()
    assert heard.null_count() == 50


def test_short_forms_are_of_the_name() -> None:
    names = pl.Series(["Robert", "Wayne", None] * 20)
    short = mistakes.shortened(names, np.ones(60, dtype=bool), np.random.default_rng(1))
    assert set(short[0::3]) <= {"Bob", "Rob", "Bobby", "Robbie"}
    assert set(short[1::3]) == {"Wayne"}


def test_wrong_postcodes_stay_valid() -> None:
    codes = pl.Series(["ME7 4AB", "ME10 0ZZ", None] * 300)
    wrong = mistakes.wrong_postcode(codes, np.ones(900, dtype=bool), np.random.default_rng(1))
    assert wrong.drop_nulls().str.contains(r"^ME\d{1,2} \d[ABD-HJLNP-UW-Z]{2}$").all()
    assert (wrong != codes).mean() > 0.85
    assert wrong.null_count() == 300


def test_wrong_dates_are_dates_of_the_past() -> None:
    days = np.random.default_rng(2).integers(-20_000, 20_000, size=5_000)
    hit = np.arange(len(days)) < 4_000
    wrong = mistakes.wrong_date(days, hit, 20_000, np.random.default_rng(1))
    assert (wrong[4_000:] == days[4_000:]).all()
    assert (wrong[:4_000] != days[:4_000]).mean() > 0.98
    assert wrong.max() <= 20_000
    before, after = days[:4_000].astype("datetime64[D]"), wrong[:4_000].astype("datetime64[D]")
    swapped = [str(a)[5:7] == str(b)[8:10] and str(a)[8:10] == str(b)[5:7] for a, b in zip(before, after, strict=True)]
    assert 0.06 < np.mean(swapped) < 0.15
    assert 0.08 < np.mean([str(b)[5:] == "01-01" for b in after]) < 0.13


def test_address_habits_leave_most_addresses_alike(pairs: pl.DataFrame) -> None:
    at_home = pairs.filter(pl.col("uprn") == pl.col("uprn_w")).drop_nulls(["address", "address_w"])
    alike = at_home.select((pl.col("address") == pl.col("address_w")).mean()).item()
    assert 0.65 < alike < 0.90
    short = at_home["address"].str.contains(r" (RD|ST|AVE|CL|DR)\b")
    assert 0.01 < short.mean() < 0.12
    last = at_home["address"].str.contains(r"(FLAT|PLOT) \w+$")
    assert last.any()
