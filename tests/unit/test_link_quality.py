"""What `hwlink link` says of its own quality: estimates beside the truth, subgroups, the check by a key, weights."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from linkage.quality.hidden_key import key_check
from linkage.synthesise import geography
from linkage.synthesise import population as made_up
from schemas.errors import InputError
from schemas.model import default_model
from schemas.quality import QualityReport
from services.cli.demo.commands import Commands
from services.link import run
from tests.populations.population import population

SHIPPED = default_model()


def encoded(folder: Path, made: Any) -> tuple[Path, Path, Path]:
    commands = Commands({}, quiet=True)
    commands.run("keys", "new", folder / "key")
    for feed, clear in (("health", made.health), ("welfare", made.welfare)):
        clear.write_parquet(folder / f"{feed}.parquet")
        commands.run(
            "pseudonymise", "--agreement", "test", "--key-file", folder / "key", "--source", f"medway.{feed}",
            "--feed", feed, "--keep-ids", folder / f"{feed}.parquet", folder / f"{feed}-encoded.parquet",
        )  # fmt: skip
    made.truth.write_csv(folder / "truth.csv")
    return folder / "health-encoded.parquet", folder / "welfare-encoded.parquet", folder / "truth.csv"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    folder = tmp_path_factory.mktemp("quality")
    geography.table().write_csv(folder / "areas.csv")
    return encoded(folder, made_up(4_000, 1_500, seed=5))


def test_estimates_stand_beside_the_truth(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    left, right, truth = files
    areas = left.with_name("areas.csv")
    summary = run(left, right, tmp_path, shipped=SHIPPED, unique="left", truth=truth, areas=areas, weighted=True)
    report = QualityReport.model_validate(summary["estimated"])

    for kind, accuracy in (("links", report.links), ("persons", report.persons)):
        for part, estimate in (("precision", accuracy.precision), ("recall", accuracy.recall)):
            assert estimate.value is not None
            assert abs(estimate.value - summary["quality"][kind][part]) <= 0.01
    assert report.links.found == summary["counts"]["link"]
    assert {source.source: source.subjects for source in report.sources} == {
        "medway.health": 4_000, "medway.welfare": 1_500,
    }  # fmt: skip
    assert {group.variable for group in report.groups if group.source == "medway.welfare"} == {
        "age_band", "sex", "ethnic_group", "deprivation", "authority", "tenure", "benefit", "household",
    }  # fmt: skip
    for source in report.sources:
        by_sex = [g for g in report.groups if (g.source, g.variable) == (source.source, "sex")]
        assert sum(group.subjects for group in by_sex) == source.subjects
        assert sum(group.linked for group in by_sex) == source.linked
    default = next(threshold for threshold in report.thresholds if threshold.name == "default")
    assert default.links == report.links.found
    assert default.precision == report.links.precision
    assert [t.links for t in report.thresholds] == sorted((t.links for t in report.thresholds), reverse=True)
    assert sum(grade.links for grade in report.grades) == report.links.found
    assert report.implausible["over_10_subjects"] == 0
    assert report.key_check is None
    asked = pl.read_parquet(tmp_path / "evidence.parquet").filter(decision="review")
    guarded = pl.col("because") == "guard"
    explained = asked.select(pl.when(guarded).then("guard").otherwise("because"))["guard"].value_counts()
    assert {reason.reason: reason.pairs for reason in report.reviews} == dict(explained.rows())
    assert asked.height > 0

    persons = pl.read_parquet(tmp_path / "persons.parquet")
    linked = persons.filter(pl.col("linkage_weight").is_not_null())
    assert linked.height == sum(source.linked for source in report.sources)
    assert set(linked["person_id"].value_counts()["count"]) >= {2}


def test_a_key_that_both_files_carry_is_hidden_and_asked(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    made = population(3_000, 1_200, seed=3, foreign_numbers=0.6)
    left, right, _ = encoded(tmp_path / "in", made)
    summary = run(left, right, tmp_path / "out", shipped=SHIPPED, unique="left", check_key="nhs_number")
    check = QualityReport.model_validate(summary["estimated"]).key_check

    assert check is not None
    assert check.true_pairs > 400
    assert check.precision.value is not None
    assert check.precision.value > 0.98
    assert check.recall.value is not None
    assert 0.9 < check.recall.value < 1


def test_a_key_that_one_file_lacks_says_nothing(files: tuple[Path, Path, Path], tmp_path: Path) -> None:
    left, right, _ = files
    summary = run(left, right, tmp_path, shipped=SHIPPED, unique="left", check_key="nhs_number")

    assert summary["estimated"]["key_check"]["recall"]["not_estimable"] == "no_key"
    with pytest.raises(InputError, match="check-key"):
        run(left, right, tmp_path, shipped=SHIPPED, check_key="surname")


def test_pairs_by_key_are_counted_as_they_may_be_linked() -> None:
    """Sources of 100 and 100 share keys 1 to 100; half of them were put into one person, two wrongly so."""
    from tests.property.test_quality_laws import census

    people = census(100)
    word = np.tile(np.arange(1, 101), 2).astype(np.uint64)
    label = np.arange(200)
    label[100:160] = label[:60]
    label[[158, 159]] = label[[59, 58]]
    check = key_check("nino", dataclasses.replace(people), label, word, (True, False))

    assert (check.true_pairs, check.found_pairs) == (100, 60)
    assert check.recall.value == pytest.approx(0.58)
    assert check.precision.value == pytest.approx(58 / 60, abs=1e-6)


def test_a_key_of_many_is_nobodys() -> None:
    from tests.property.test_quality_laws import census

    check = key_check("nino", census(100), np.arange(200), np.ones(200, dtype=np.uint64), (True, False))

    assert check.true_pairs == 0
    assert check.recall.not_estimable == "no_key"
