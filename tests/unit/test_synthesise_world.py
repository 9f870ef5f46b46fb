"""The people themselves: families, twins, namesakes, communities, deprivation."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from linkage.synthesise import geography
from linkage.synthesise.chance import Chance, pick, pick_by_row
from linkage.synthesise.homes import Holding, HomeKind
from linkage.synthesise.names.communities import COMMUNITIES
from linkage.synthesise.names.tables import COHORTS, cohort_of, names
from linkage.synthesise.naming import KEYS, Naming, forename_text, name_people, surname_text
from linkage.synthesise.world import Place, World, build, kin


@pytest.fixture(scope="module")
def chance() -> Chance:
    return Chance(11)


@pytest.fixture(scope="module")
def world(chance: Chance) -> World:
    return build(chance, 60_000)


@pytest.fixture(scope="module")
def naming(chance: Chance, world: World) -> Naming:
    return name_people(chance, world)


def test_there_are_as_many_people_as_asked_and_a_few_more(world: World) -> None:
    assert 60_000 <= len(world) < 66_000
    for people in (1, 10, 300, 5_000):
        assert all(len(build(Chance(seed), people)) >= people for seed in range(5))


def test_every_kind_of_household_is_there_and_looks_its_part(world: World) -> None:
    kinds = np.bincount(world.homes.kind, minlength=len(HomeKind)) / len(world.homes)
    assert (kinds > 0).all()
    children = np.bincount(world.home[world.place == Place.CHILD], minlength=len(world.homes))
    for kind in (HomeKind.COUPLE_CHILDREN, HomeKind.LONE_PARENT, HomeKind.MULTI_GENERATION, HomeKind.GROWN_CHILDREN):
        assert (children[world.homes.kind == kind] > 0).all()
    assert children[world.homes.kind == HomeKind.SINGLE].sum() == 0
    size = np.bincount(world.home)
    assert (size[world.homes.kind == HomeKind.SHARERS] >= 2).all()
    pensioners = np.isin(world.homes.kind[world.home], [HomeKind.PENSIONER_SINGLE])
    assert (world.age[pensioners] >= 66).all()


def test_ages_are_those_of_a_population(world: World) -> None:
    assert 0.18 < (world.age < 18).mean() < 0.26
    assert 0.14 < (world.age >= 66).mean() < 0.20
    assert world.age.min() >= 0
    assert world.age.max() < 102
    # No birthday is many people's, apart from 1 January.
    days, counts = np.unique(world.birth_day, return_counts=True)
    plain = np.array([str(d)[5:] != "01-01" for d in days.astype("datetime64[D]")])
    assert counts[plain].max() < 25


def test_parents_are_older_than_their_children(world: World) -> None:
    for parent in (world.father, world.mother):
        rows = np.flatnonzero(parent >= 0)
        assert (world.age[parent[rows]] - world.age[rows]).min() >= 15.9
        assert (world.home[parent[rows]] == world.home[rows]).all()


def test_twins_share_home_and_birthday_and_not_the_name(world: World, naming: Naming) -> None:
    twin = np.flatnonzero(world.twin)
    assert len(twin) > 100
    assert (world.home[twin] == world.home[twin - 1]).all()
    assert (world.birth_day[twin] == world.birth_day[twin - 1]).all()
    assert (naming.surname[twin] == naming.surname[twin - 1]).all()
    assert (naming.forename[twin] != naming.forename[twin - 1]).mean() > 0.99
    alike = (world.sex[twin] == world.sex[twin - 1]).mean()
    assert 0.55 < alike < 0.77
    maternities = (world.place == Place.CHILD).sum() - len(twin)
    assert len(twin) / maternities == pytest.approx(0.015, abs=0.003)


def test_grown_twins_live_near_each_other(chance: Chance, world: World, naming: Naming) -> None:
    near, other, twins = kin(chance, world)
    assert len(near) > 300
    assert twins.sum() > 20
    assert (world.birth_day[near[twins]] == world.birth_day[other[twins]]).all()
    assert (world.home[near] != world.home[other]).all()
    assert (np.abs(world.homes.lsoa[world.home[near]] - world.homes.lsoa[world.home[other]]) <= 2).all()
    assert (naming.surname_born[near] == naming.surname_born[other]).mean() > 0.9


def test_siblings_differ_in_name_and_some_bear_a_parents(world: World, naming: Naming) -> None:
    child = world.place == Place.CHILD
    sons = np.flatnonzero(child & (world.sex == 0) & (world.father >= 0))
    daughters = np.flatnonzero(child & (world.sex == 1) & (world.mother >= 0))
    namesakes = (naming.forename[sons] == naming.forename[world.father[sons]]).mean()
    assert 0.008 < namesakes < 0.03
    assert (naming.surname[sons] == naming.surname[world.father[sons]]).mean() > 0.9
    assert 0.001 < (naming.forename[daughters] == naming.forename[world.mother[daughters]]).mean() < 0.02
    pairs = pl.DataFrame({"home": world.home[child], "forename": naming.forename[child]})
    assert pairs.is_duplicated().mean() < 0.01


def test_families_share_surnames(world: World, naming: Naming) -> None:
    child = np.flatnonzero((world.place == Place.CHILD) & (world.mother >= 0) & (world.father >= 0))
    with_mother = naming.surname[child] == naming.surname[world.mother[child]]
    assert 0.5 < with_mother.mean() < 0.95
    assert (naming.surname_second >= 0).mean() > 0.002
    assert (naming.middle >= 0).mean() > 0.4


def test_surnames_have_a_heavy_tail(world: World, naming: Naming) -> None:
    text = surname_text(naming.surname, naming.surname_second, world.sex)
    top = text.value_counts(sort=True)
    assert top["surname"][0] == "Smith"
    assert 0.007 < top["count"][0] / len(world) < 0.015
    assert top.height > 10_000
    assert forename_text(naming.forename).n_unique() > 1_500
    assert forename_text(np.array([-1])).to_list() == [None]


def test_gendered_surnames_follow_sex() -> None:
    tables = names()
    polish = tables.surnames_of_men.to_list().index("Kowalski")
    forms = surname_text(np.array([polish, polish]), np.array([-1, -1]), np.array([0, 1]))
    assert forms.to_list() == ["Kowalski", "Kowalska"]


def test_communities_are_concentrated_and_some_share_new_year_birthdays(world: World, naming: Naming) -> None:
    month_day = world.birth_day.astype("datetime64[D]")
    new_year = month_day == month_day.astype("datetime64[Y]").astype("datetime64[D]")

    def of(key: str) -> np.ndarray:
        return world.community == KEYS.index(key)

    assert new_year[of("british")].mean() < 0.006
    assert new_year[of("horn_of_africa") & (world.age >= 18)].mean() > 0.2
    assert new_year[of("middle_east_afghan") & (world.age >= 18)].mean() > 0.15

    def top_share(key: str) -> float:
        return np.unique(naming.surname[of(key)], return_counts=True)[1].max() / of(key).sum()

    assert top_share("nepali") > 0.15
    assert top_share("sikh") > 0.10
    assert top_share("british") < 0.02
    shares = np.bincount(world.community, minlength=len(COMMUNITIES)) / len(world)
    assert 0.70 < shares[0] < 0.88


def test_communities_live_near_each_other(world: World) -> None:
    sikh = world.homes.community == KEYS.index("sikh")
    by_area = np.bincount(world.homes.lsoa, weights=sikh, minlength=259) / np.bincount(world.homes.lsoa, minlength=259)
    assert np.quantile(by_area, 0.9) > 2.5 * np.quantile(by_area, 0.5)


def test_deprivation_leans_tenure(world: World) -> None:
    homes = world.homes
    social = np.isin(homes.tenure, [Holding.COUNCIL, Holding.HOUSING_ASSOCIATION])
    assert social[homes.deprivation > 0.85].mean() > 2.5 * social[homes.deprivation < 0.35].mean()
    assert (homes.tenure[homes.kind == HomeKind.HOSTEL] == Holding.TEMPORARY).all()


def test_hostels_hold_many_people_behind_one_door(world: World) -> None:
    hostel = world.homes.dwelling[world.homes.kind == HomeKind.HOSTEL]
    assert np.unique(hostel, return_counts=True)[1].max() >= 8
    plain = world.homes.dwelling[world.homes.kind != HomeKind.HOSTEL]
    assert len(np.unique(plain)) == len(plain)


def test_geography_is_fixed_and_of_the_right_shape() -> None:
    table = geography.table()
    assert table.equals(geography.table(seed=99))
    assert table.columns == ["lsoa", "ward", "authority", "imd_decile"]
    assert table.group_by("authority").len().sort("authority")["len"].to_list() == [169, 90]
    assert table["lsoa"].is_unique().all()
    assert table.group_by("ward").agg(pl.col("authority").n_unique())["authority"].max() == 1
    assert table["ward"].n_unique() == 48
    deprived = table.filter(pl.col("imd_decile") <= 2).group_by("authority").len().sort("authority")
    assert deprived["len"].to_list() == [37, 24]
    assert geography.postcodes()["postcode"].is_unique().all()


def test_a_place_of_300000_homes_still_has_a_dwelling_for_each() -> None:
    lsoa = np.sort(np.random.default_rng(1).integers(geography.lsoa_count(), size=300_000))
    dwelling = geography.dwellings(lsoa, np.zeros(geography.lsoa_count(), dtype=np.int64))
    assert len(np.unique(dwelling)) == len(dwelling)
    assert (dwelling // geography.SLOTS // geography.POSTCODES_PER_LSOA == lsoa).all()


def test_addresses_follow_from_the_dwelling() -> None:
    parts = geography.address_parts(np.arange(0, 300 * geography.SLOTS, 37))
    assert parts["uprn"].is_unique().all()
    assert (parts["number"].is_null() == parts["building"].is_not_null()).all()
    assert {"Flat", "Plot"} == set(parts["flat"].drop_nulls().str.extract(r"^(\w+)").unique())


def test_draws_follow_their_weights() -> None:
    draws = (np.arange(1_000) + 0.5) / 1_000
    assert np.bincount(pick(np.array([0.2, 0.5, 1.0]), draws)).tolist() == [200, 300, 500]
    weights = np.tile([1.0, 3.0, 0.0], (1_000, 1))
    assert np.bincount(pick_by_row(weights, draws), minlength=3).tolist() == [250, 750, 0]


def test_streams_of_chance_are_independent_of_each_other() -> None:
    one, other = Chance(1), Chance(1)
    other.stream("something new").random(100)
    assert (one.stream("names").random(5) == other.stream("names").random(5)).all()
    assert (one.stream("names").random(5) != one.stream("ages").random(5)).any()


def test_cohorts_begin_with_their_year() -> None:
    years = np.array([1890, *COHORTS, 2026])
    assert cohort_of(years).tolist() == [0, 0, 1, 2, 3, 4, 5, 5]
