"""What the sources say of one person follows from one life: registers, medicines, readings, benefits, homes."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from linkage.synthesise import REFERENCE_DATE, Feeds, feeds
from linkage.synthesise.feeds.places import PLACE
from linkage.synthesise.feeds.searches import REVIEWED

YEAR_AGO = REFERENCE_DATE - timedelta(days=365)


@pytest.fixture(scope="module")
def made() -> Feeds:
    return feeds(20_000, 6_000, seed=1, error_scale=0.0)


def facts(made: Feeds, kind: str, *sources: str) -> pl.DataFrame:
    """Return the facts of a kind as rows with their `person` and `source`, of all sources or of some."""
    parts = []
    for source, frame in made.frames.items():
        if kind in frame.columns and (not sources or source in sources):
            held = frame.filter(pl.col(kind).list.len() > 0).select(pl.col("record_id").alias("record"), kind)
            owners = made.truth.filter(pl.col("source") == source)
            rows = held.explode(kind).unnest(kind)
            parts.append(rows.join(owners, left_on="record", right_on="record_id").drop("record"))
    return pl.concat(parts)


@pytest.fixture(scope="module")
def people(made: Feeds) -> pl.DataFrame:
    """Everybody with a GP: person, age in years, sex, area and its decile, property."""
    gp = made.frames["kmicb.gp"].join(made.truth.filter(pl.col("source") == "kmicb.gp"), on="record_id")
    areas = made.geography.filter(pl.col("lsoa_version") == "2021").select("lsoa", "imd_decile")
    born = pl.col("date_of_birth").str.to_date()
    age = ((pl.lit(REFERENCE_DATE) - born).dt.total_days() / 365.2425).alias("age")
    return gp.join(areas, on="lsoa", how="left").select("person", "sex", "imd_decile", "uprn", "property_match", age)


@pytest.fixture(scope="module")
def registers(made: Feeds) -> pl.DataFrame:
    return facts(made, "diagnoses").select("person", "condition").unique()


def on_register(registers: pl.DataFrame, *conditions: str) -> pl.Series:
    return registers.filter(pl.col("condition").is_in(conditions))["person"].unique()


def having(frame: pl.DataFrame, whom: pl.Series) -> pl.DataFrame:
    return frame.filter(pl.col("person").is_in(whom.implode()))


def test_medicines_are_given_for_what_people_have(made: Feeds, registers: pl.DataFrame) -> None:
    issued = facts(made, "medications")
    for groups, conditions in (
        (["insulin", "glp1"], ["dm"]),
        (["lithium"], ["smi"]),
        (["epilepsy_drug"], ["epilepsy"]),
        (["asthma_treatment", "ics"], ["asthma"]),
        (["saba", "oral_steroid"], ["asthma", "copd"]),
        (["triple_inhaler"], ["copd"]),
    ):
        given = issued.filter(pl.col("drug_group").is_in(groups))
        assert given.height > 20
        assert given["person"].is_in(on_register(registers, *conditions).implode()).all(), groups
    counts = issued.filter(pl.col("drug_group") == "all")
    assert counts["distinct_drugs"].null_count() == 0
    assert issued.filter(pl.col("drug_group") != "all")["distinct_drugs"].is_null().all()


def test_readings_fit_the_registers(made: Feeds, registers: pl.DataFrame) -> None:
    readings = facts(made, "measurements", "kmicb.gp")
    latest = readings.sort("recorded_on").group_by("person", "kind").agg(pl.col("value").last())

    def median(kind: str, whom: pl.Series, inside: bool = True) -> float:
        chosen = latest.filter((pl.col("kind") == kind) & (pl.col("person").is_in(whom.implode()) == inside))
        assert chosen.height > 50
        return float(chosen["value"].median() or 0.0)

    diabetic, kidneys, obese = (on_register(registers, c) for c in ("dm", "ckd", "obesity"))
    assert median("hba1c_mmol_mol", diabetic) > 48 > median("hba1c_mmol_mol", diabetic, inside=False)
    assert median("egfr_ml_min", kidneys) < 60 < median("egfr_ml_min", kidneys, inside=False)
    assert median("bmi_kg_m2", obese) >= 30 > median("bmi_kg_m2", obese, inside=False)
    for kind in ("fev1_percent_predicted", "mrc_dyspnoea_grade"):
        assert latest.filter(pl.col("kind") == kind)["person"].is_in(on_register(registers, "copd").implode()).all()
    pressures = readings.filter(pl.col("kind").is_in(["systolic_mmhg", "diastolic_mmhg"]))
    assert pressures["setting"].null_count() == 0
    pairs = pressures.group_by("person", "recorded_on", "setting").agg(pl.col("kind").n_unique())
    assert (pairs["kind"] == 2).all()


def test_care_fits_the_age(made: Feeds, people: pl.DataFrame) -> None:
    readings = facts(made, "measurements").join(people, on="person")
    assert readings.filter(pl.col("kind") == "systolic_mmhg")["age"].min() >= 18
    assert readings.filter(pl.col("kind") == "bmi_centile_uk90")["age"].max() < 18
    assert readings.filter(pl.col("kind").is_in(["efi", "efi2"]))["age"].min() >= 65
    screened = facts(made, "screenings").join(people, on="person")
    for programme, (least, most) in {"bowel": (54, 75), "breast": (50, 71), "cervical": (25, 65)}.items():
        invited = screened.filter(pl.col("programme") == programme)
        # A birthday of 1 January is up to a year away from the true one.
        assert invited["age"].min() >= least - 1
        assert invited["age"].max() < most + 1
        assert set(invited["sex"]) == ({"1", "2"} if programme == "bowel" else {"2"})
    codes = facts(made, "coded_events").join(people, on="person")
    immunised = codes.filter(pl.col("code").str.starts_with("immunisations"))
    assert immunised["age"].max() < 6
    assert immunised.group_by("person").agg(pl.col("code").n_unique())["code"].max() == 1


def test_searches_find_whom_they_are_for(made: Feeds, registers: pl.DataFrame) -> None:
    found = facts(made, "searches")
    groups = found.filter(pl.col("search") == "priority_group")
    assert groups["priority_group"].is_between(1, 4).all()
    assert found.filter(pl.col("search") != "priority_group")["priority_group"].is_null().all()
    assert groups.join(registers, on=["person", "condition"], how="anti").is_empty()
    uncoded = found.filter(pl.col("search") == "suspected_uncoded")
    assert uncoded.join(registers, on=["person", "condition"]).is_empty()
    assert set(uncoded["condition"]) == {"htn", "dm", "ckd", "copd", "af", "hf", "asthma"}
    shares = {condition.value: shares for condition, shares in REVIEWED.items()}
    for (condition, group), rows in groups.group_by("condition", "priority_group"):
        if rows.height > 150:
            reviewed = rows["reviewed_on"].is_not_null().mean()
            assert reviewed == pytest.approx(shares[str(condition)][int(str(group)) - 1], abs=0.13)


def test_an_admission_through_the_front_door_has_its_attendance(made: Feeds) -> None:
    stays = facts(made, "encounters", "kmicb.sus").filter(pl.col("admission_method") == "21")
    attended = facts(made, "encounters", "kmicb.ecds").select("person", "started_on").unique()
    assert stays.height > 500
    assert stays.join(attended, on=["person", "started_on"], how="anti").is_empty()


def test_self_harm_is_rare_and_young(made: Feeds, people: pl.DataFrame) -> None:
    harmed = facts(made, "encounters", "kmicb.ecds").filter(pl.col("injury_intent") == "self_inflicted")
    ages = harmed.join(people, on="person").unique("person")["age"]
    assert 20 < len(ages) < 0.01 * people.height
    assert ages.is_between(10, 25).mean() > 0.5
    assert ages.min() >= 9


def test_illness_and_poverty_come_together(made: Feeds, people: pl.DataFrame) -> None:
    fifth = people.with_columns(fifth=(pl.col("imd_decile") + 1) // 2)

    def share(whom: pl.Series, among: pl.DataFrame = fifth) -> list[float]:
        within = among.drop_nulls("fifth").group_by("fifth")
        rows = within.agg(pl.col("person").is_in(whom.implode()).mean()).sort("fifth")
        return [float(value) for value in rows["person"]]

    unplanned = (pl.col("kind") == "ae_attendance") | pl.col("admission_method").str.starts_with("2")
    emergencies = facts(made, "encounters").filter((pl.col("started_on") >= YEAR_AGO) & unplanned)["person"]
    smokers = facts(made, "coded_events").filter(pl.col("code") == "smoker")["person"]
    for whom in (emergencies, smokers, facts(made, "claims")["person"]):
        poorest, *_, richest = share(whom)
        assert poorest > 1.25 * richest
    rounds = facts(made, "screenings").sort("recorded_on").group_by("person", "programme")
    complete = rounds.agg(pl.col("status").last())
    behind = complete.filter(pl.col("status") != "complete")["person"]
    invited = having(fifth, complete["person"].unique())
    assert share(behind, invited)[0] > 1.15 * share(behind, invited)[-1]


def test_work_benefits_and_fit_notes_agree(made: Feeds) -> None:
    periods = facts(made, "credit_periods")
    latest = periods.sort("period_to").group_by("person").agg(pl.all().last())
    asked = latest.filter(pl.col("conditionality") == "searching_for_work")
    assert (asked["monthly_earnings_pence"] == 0).all()
    assert (latest.filter(pl.col("conditionality").str.starts_with("working"))["monthly_earnings_pence"] > 0).all()
    unfit = latest.filter(pl.col("work_capability") == "lcwra")
    assert set(unfit["conditionality"]) == {"no_work_requirements"}
    noted = facts(made, "fit_notes")["person"].unique()
    well = latest.filter(pl.col("work_capability") == "none")
    assert having(unfit, noted).height / unfit.height > 1.5 * having(well, noted).height / well.height
    assert (periods["period_to"] > periods["period_from"]).all()
    assert set(latest["conditionality"]) == {
        "searching_for_work", "working_with_requirements", "no_work_requirements", "working_no_requirements",
        "planning_for_work", "preparing_for_work",
    }  # fmt: skip
    credit = facts(made, "claims", "dwp.uc")
    assert latest["person"].is_in(credit["person"].implode()).all()
    assert "non_dependant" not in set(credit["role"])


def test_each_council_holds_its_own(made: Feeds) -> None:
    areas = made.geography.filter(pl.col("lsoa_version") == "2021").select("lsoa", "authority")
    for kind in ("shbe", "ctr", "housing", "hclic"):
        for council in ("medway", "swale"):
            held = made.frames[f"{council}.{kind}"].join(areas, on="lsoa", how="left")
            assert set(held["authority"]) == {council}
    # Whoever came from the other council stands in both, with an ended claim there.
    claims = facts(made, "claims", "medway.shbe", "swale.shbe", "medway.ctr", "swale.ctr")
    both = claims.group_by("person").agg(pl.col("source").str.head(5).n_unique(), (pl.col("status") == "other").any())
    movers = both.filter(pl.col("source") == 2)
    assert 10 < movers.height < 0.06 * both.height
    assert movers["status"].mean() > 0.9


def test_debts_and_spare_rooms_fit_the_tenancy(made: Feeds) -> None:
    tenures = facts(made, "claims").select("person", "tenure").unique("person")
    debts = facts(made, "arrears").join(tenures, on="person")
    for kind, tenure in (("rent_council", "council"), ("rent_ha", "housing_association")):
        assert set(debts.filter(pl.col("kind") == kind)["tenure"]) == {tenure}
    assert facts(made, "arrears").join(tenures, on="person", how="anti").height > 20
    rooms = facts(made, "occupancies")
    assert (rooms["bedrooms"] > rooms["bedrooms_needed"]).mean() > 0.15
    assert (rooms["bedrooms"] < rooms["bedrooms_needed"]).any()
    owed = facts(made, "deductions").filter(pl.col("reason") == "council_tax")["person"]
    assert owed.is_in(facts(made, "arrears").filter(pl.col("kind") == "council_tax")["person"].implode()).mean() > 0.8


def test_the_living_standard_is_the_households_own(made: Feeds) -> None:
    latest = facts(made, "living_standards").sort("assessed_on").group_by("person").agg(pl.col("category").last())
    assert set(latest["category"]) == {"coping", "struggling", "at_risk", "in_crisis"}
    assert {source for source in made.frames if "living_standards" in made.frames[source].columns} == {"medway.lift"}
    claimant = facts(made, "claims").filter(pl.col("weekly_income_pence").is_not_null())
    total = claimant.group_by("person").agg(
        pl.col("weekly_income_pence").first() + pl.col("weekly_award_pence").filter(pl.col("benefit") != "ctr").sum()
    )
    income = latest.join(total, on="person").group_by("category").agg(pl.col("weekly_income_pence").median())
    by = dict(income.iter_rows())
    assert by["in_crisis"] < by["coping"]
    missed = facts(made, "unclaimed")
    assert missed["entitlement"].n_unique() == 6


def test_homeless_people_are_so_in_health_too(made: Feeds) -> None:
    cases = facts(made, "homelessness")
    assert set(cases["duty"]) == {"prevention", "relief", "main"}
    open_now = cases.filter(pl.col("ended_on").is_null())["person"].unique()
    circumstances = facts(made, "circumstances").filter(pl.col("kind") == "accommodation")
    homeless = circumstances.filter(pl.col("code").str.starts_with("HM"))["person"]
    assert len(homeless) > 20
    assert homeless.is_in(open_now.implode()).all()
    # Members of a household share its application.
    sizes = cases.group_by("case_reference").agg(pl.col("person").n_unique())
    assert sizes["person"].max() > 2


def test_disadvantage_gathers_on_few(made: Feeds, registers: pl.DataFrame) -> None:
    flagged = facts(made, "inclusion_flags")
    stated = {group: rows["person"].unique() for (group,), rows in flagged.group_by("group")}
    dependent = on_register(registers, "drug_dependence", "alcohol")
    substance = pl.concat([dependent, stated["drug_alcohol"]]).unique()
    sets = [facts(made, "homelessness")["person"].unique(), substance, stated["justice_contact"]]
    domains = pl.concat([whom.to_frame("person") for whom in sets]).group_by("person").len()
    assert 2 <= domains.filter(pl.col("len") == 3).height < 0.003 * 20_000
    everybody = 20_000.0
    together = len(set(sets[1]) & set(sets[2]))
    assert together > 3 * len(sets[1]) * len(sets[2]) / everybody


def test_care_homes_share_a_door(made: Feeds, people: pl.DataFrame) -> None:
    homes = people.drop_nulls("uprn").group_by("uprn")
    shared = homes.agg(pl.len(), pl.col("age").min(), pl.col("property_match").first())
    doors = shared.filter((pl.col("len") > 10) & (pl.col("age") > 65))
    assert doors.height >= 1
    assert set(doors["property_match"]) == {"non_residential"}
    placed = facts(made, "care_arrangements").filter(pl.col("package").str.starts_with("care_home"))
    assert placed.join(people, on="person")["age"].min() > 65
    assert people["property_match"].n_unique() == 5


def test_a_kind_that_a_source_lacks_is_missing_and_not_empty(made: Feeds) -> None:
    assert "inclusion_flags" not in made.frames["kcc.asc"].columns
    assert "medway.ncmp" in made.frames
    assert not [source for source in made.frames if source.startswith(("swale.ncmp", "kcc.ncmp"))]
    measured = facts(made, "measurements", "medway.ncmp")["person"].unique()
    assert set(measured) <= set(facts(made, "measurements")["person"])


def test_both_versions_of_small_areas_lead_somewhere(made: Feeds) -> None:
    versions = {version: rows for (version,), rows in made.geography.group_by("lsoa_version")}
    assert (versions["2021"].height, versions["2011"].height) == (259, 248)
    assert set(versions["2021"]["imd_version"]) == {"2025"}
    assert set(versions["2011"]["imd_version"]) == {"2019"}
    assert len(set(versions["2021"]["lsoa"]) - set(versions["2011"]["lsoa"])) == 22
    assert len(set(versions["2011"]["lsoa"]) - set(versions["2021"]["lsoa"])) == 11
    assert made.geography.group_by("lsoa").agg(pl.col("authority").n_unique())["authority"].max() == 1
    coastal = made.geography.filter(pl.col("coastal"))
    assert set(coastal["authority"]) == {"swale"}
    assert made.geography["rural_urban"].n_unique() == 3
    older = set(versions["2011"]["lsoa"]) - set(versions["2021"]["lsoa"])
    assert set(made.frames["kmicb.sus"]["lsoa"]) & older
    assert not set(made.frames["kmicb.gp"]["lsoa"]) & older


def test_practices_lead_to_nine_networks_here_and_one_elsewhere(made: Feeds) -> None:
    here = made.practices.filter(pl.col("place") == PLACE)
    assert (here.height, here["pcn_code"].n_unique()) == (53, 9)
    assert made.practices["practice_code"].is_unique().all()
    used = made.frames["kmicb.gp"]["practice_code"]
    assert used.is_in(made.practices["practice_code"].implode()).all()
    outside = used.is_in(made.practices.filter(pl.col("place") != PLACE)["practice_code"].implode()).mean()
    assert 0.005 < outside < 0.03


def test_sources_err_each_on_its_own() -> None:
    made = feeds(8_000, 3_000, seed=2, error_scale=6.0)
    rows = {
        source: made.frames[source]
        .join(made.truth.filter(pl.col("source") == source), on="record_id")
        .select("person", "date_of_birth")
        .unique("person")
        for source in ("kmicb.gp", "kmicb.sus", "kmicb.ecds")
    }
    gp, sus, ecds = (rows[source].rename({"date_of_birth": source}) for source in rows)
    three = gp.join(sus, on="person").join(ecds, on="person")
    wrong = three.filter(pl.col("kmicb.gp") != pl.col("kmicb.sus"))
    assert wrong.height > 100
    # Where two differ, the third nearly always agrees with one of them.
    agrees = pl.any_horizontal(pl.col("kmicb.ecds") == pl.col(other) for other in ("kmicb.gp", "kmicb.sus"))
    assert wrong.select(agrees.mean()).item() > 0.8
