"""The publishers' layouts through the command line to shares and counts: made-up files, and the published ones.

Set PUBLISHED_REFERENCE_FOLDER to a folder that holds the published extracts under the names of `PUBLISHED` to check
against them as well; they are open data and are not kept here.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from linkage.indicators.fair_share import allocation, fair_share
from schemas.errors import InputError, Reason, StateError
from services.cli.app import build
from services.reference import Reference, open_store

MADE_UP = Path(__file__).parents[1] / "reference"


@dataclass(frozen=True)
class Edition:
    """Files of one geography, and what must come of them."""

    folder: Path
    files: dict[str, str]
    networks: dict[str, str]
    """Network -> place, of the place whose share is checked."""
    core20: dict[str, dict[str, int]]
    """Edition of the index -> areas of deciles 1 and 2 by authority."""
    head_count_share: str
    index: dict[str, str]
    by_network: dict[str, tuple[str, str]]
    """Network -> index overall and of health inequalities, against the whole board."""
    divided_pence: dict[str, int]
    """Basis -> what the place gets of 5.95 million pounds."""


ESTMERE = Edition(
    MADE_UP,
    {
        "imd-2019": "imd_2019_lsoa_2011.csv",
        "imd-2025": "imd_2025_lsoa_2021.csv",
        "wards-2021": "lsoa_2021_to_ward_2024_to_lad_2024.csv",
        "lsoa-2011-2021": "lsoa_2011_to_lsoa_2021.csv",
        "rural-urban-2021": "rural_urban_2021.csv",
        "gp-distance": "gp_distance_lsoa_2011.csv",
        "coastal": "coastal.csv",
        "pm25": "pm25.csv",
        "weighted-populations": "practice_weighted_populations_2022_23.csv",
        "practices": "practice_to_pcn.csv",
    },
    {"U99001": "Here", "U99002": "Here"},
    {"2019": {"Estmere": 3, "Norwater": 2}, "2025": {"Estmere": 2, "Norwater": 2}},
    "0.218000",
    {"health_inequalities": "1.151", "overall": "1.000"},
    {"U99001": ("1.000", "1.272"), "U99002": ("1.000", "0.833")},
    {"head_count": 129_710_000, "overall": 129_710_000, "health_inequalities": 149_345_000},
)
PUBLISHED = Edition(
    Path(os.environ.get("PUBLISHED_REFERENCE_FOLDER", "")),
    {
        "imd-2019": "medway_swale_lsoa11_iod2019_domains.csv",
        "imd-2025": "medway_swale_lsoa21_ward24_imd2025.csv",
        "wards-2021": "medway_swale_lsoa21_ward24_imd2025.csv",
        "lsoa-2011-2021": "medway_swale_lsoa11_to_lsoa21.csv",
        "weighted-populations": "kent_medway_practice_weighted_population_2022_23.csv",
        "practices": "kent_medway_practice_weighted_population_2022_23.csv",
    },
    dict.fromkeys(("U76908", "U78466", "U56757", "U61151", "U21965", "U82359", "U10128", "U37339", "U27664"), "Here"),
    {"2019": {"Medway": 37, "Swale": 22}, "2025": {"Medway": 37, "Swale": 24}},
    "0.217849",
    {
        "general_and_acute": "0.997",
        "community": "0.927",
        "mental_health": "0.918",
        "maternity": "1.164",
        "prescribing": "0.933",
        "health_inequalities": "1.152",
        "overall": "1.001",
    },
    {
        "U76908": ("0.989", "1.264"),
        "U78466": ("0.949", "1.594"),
        "U56757": ("1.013", "0.884"),
        "U61151": ("0.998", "0.825"),
        "U21965": ("0.966", "1.003"),
        "U82359": ("1.024", "1.159"),
        "U10128": ("1.200", "1.586"),
        "U37339": ("0.970", "0.934"),
        "U27664": ("0.913", "1.019"),
    },
    {"head_count": 129_620_174, "overall": 129_693_488, "health_inequalities": 149_355_018},
)
EDITIONS = [ESTMERE, *([PUBLISHED] if "PUBLISHED_REFERENCE_FOLDER" in os.environ else [])]


def _run(*arguments: str) -> str:
    done = CliRunner().invoke(build(), list(arguments))
    if done.exception is not None:
        raise done.exception
    return done.output


def _imported(edition: Edition, store: Path) -> Reference:
    places = store.parent / "places.csv"
    pl.DataFrame({"pcn_code": list(edition.networks), "place": list(edition.networks.values())}).write_csv(places)
    for kind, name in edition.files.items():
        _run("reference", "import", kind, str(edition.folder / name), "--store", str(store), "--vintage", "test")
    _run("reference", "import", "places", str(places), "--store", str(store), "--vintage", "test")
    return open_store(store)


@pytest.mark.parametrize("edition", EDITIONS, ids=lambda edition: edition.folder.name)
def test_core20_areas_are_those_of_deciles_1_and_2(edition: Edition, tmp_path: Path) -> None:
    reference = _imported(edition, tmp_path / "store")
    for imd, counts in edition.core20.items():
        areas = reference.table(f"imd-{imd}").filter(pl.col("imd_decile") <= 2)
        assert dict(areas.group_by("authority").len().iter_rows()) == counts
        places = reference.geography(imd).join(areas, on="lsoa", how="semi")
        assert (places["imd_decile"] <= 2).all()


@pytest.mark.parametrize("edition", EDITIONS, ids=lambda edition: edition.folder.name)
def test_fair_shares_and_indices_are_the_published_ones(edition: Edition, tmp_path: Path) -> None:
    reference = _imported(edition, tmp_path / "store")
    practices = reference.table("weighted-populations").join(reference.practices(), on="practice_code", how="left")
    shares = fair_share(practices, "place")
    own = shares.filter(area="Here")
    assert set(own["head_count_share"].cast(pl.String)) == {edition.head_count_share}
    by_component = {row["component"]: row for row in own.to_dicts()}
    assert f"{by_component['health_inequalities']['weighted_share']:.1%}" == "25.1%"
    assert f"{by_component['overall']['head_count_share']:.1%}" == "21.8%"
    assert {name: f"{by_component[name]['index']:.3f}" for name in edition.index} == edition.index
    networks = {
        (row["area"], row["component"]): f"{row['index']:.3f}" for row in fair_share(practices, "pcn_code").to_dicts()
    }
    for network, (overall, health) in edition.by_network.items():
        assert (networks[network, "overall"], networks[network, "health_inequalities"]) == (overall, health)
    for basis, pence in edition.divided_pence.items():
        divided = allocation(shares, 595_000_000, basis)
        assert divided.filter(area="Here")["amount_pence"].to_list() == [pence]
        assert divided["amount_pence"].sum() == 595_000_000


def test_the_command_shares_by_a_named_component(tmp_path: Path) -> None:
    _imported(ESTMERE, tmp_path / "store")
    arguments = ["indicators", "fair-share", "--store", str(tmp_path / "store"), "--amount", "5,950,000"]
    told = json.loads(_run(*arguments, "--component", "health_inequalities", "--json"))
    assert told["reference"].startswith("ref-")
    here = next(row for row in told["shares"] if row["area"] == "Here")
    assert (here["weighted_share"], here["amount_pence"]) == ("0.251000", 149_345_000)
    assert "£1,493,450.00 by health_inequalities" in _run(*arguments, "--component", "health_inequalities")
    assert "£1,297,100.00 by head_count" in _run(*arguments, "--component", "head_count")
    with pytest.raises(InputError, match="decides who gets how much"):
        _run(*arguments)
    with pytest.raises(InputError, match="whole pence"):
        _run(*arguments[:-1], "0.001", "--component", "overall")


def test_a_store_names_its_version_by_what_is_in_it(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    first, again = (_imported(ESTMERE, tmp_path / name / "store") for name in ("one", "two"))
    assert first.version == again.version
    changed = tmp_path / "coastal.csv"
    changed.write_text("lsoa,coastal\nE01999001,true\n")
    store = str(tmp_path / "two" / "store")
    _run("reference", "import", "coastal", str(changed), "--store", store, "--vintage", "test")
    later = open_store(Path(store))
    assert later.version != again.version
    assert later.geography().filter(lsoa="E01999001")["coastal"].to_list() == [True]
    shown = json.loads(_run("reference", "show", "--store", store, "--json"))
    assert shown["version"] == later.version
    assert shown["unknown"]["areas"]["coastal"] == shown["unknown"]["areas"]["all"] - 1


def test_a_refused_file_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    before = _imported(ESTMERE, tmp_path / "store").version
    broken = tmp_path / "broken.csv"
    broken.write_text("lsoa,coastal\nE01999001,perhaps\n")
    with pytest.raises(InputError) as refused:
        _run("reference", "import", "coastal", str(broken), "--store", str(tmp_path / "store"), "--vintage", "1")
    assert refused.value.reason is Reason.FIELD_INVALID
    assert open_store(tmp_path / "store").version == before
    with pytest.raises(InputError, match="no such kind"):
        _run("reference", "import", "moon", str(broken), "--store", str(tmp_path / "store"), "--vintage", "1")


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="hwlink reference import"):
        open_store(tmp_path)
    store = tmp_path / "store"
    reference = _imported(ESTMERE, store)
    with pytest.raises(InputError, match="2019, 2025"):
        reference.geography("2031")
    with pytest.raises(StateError, match="rural-urban-2011"):
        reference.table("rural-urban-2011")
    for file in store.glob("places.*.parquet"):
        file.unlink()
    with pytest.raises(StateError, match="places is not there whole"):
        open_store(store)


def test_shares_are_exact_whatever_the_order_of_practices(tmp_path: Path) -> None:
    practices = _imported(ESTMERE, tmp_path / "store").table("weighted-populations")
    shares = fair_share(practices, "pcn_code", ["overall"])
    assert sum(shares["population"].to_list()) == Decimal(100_000)
    assert abs(sum(shares["head_count_share"].to_list()) - 1) <= len(shares) * Decimal("0.0000005")
    assert fair_share(practices.reverse(), "pcn_code", ["overall"]).equals(shares)
    with pytest.raises(InputError, match="no such component"):
        fair_share(practices, "pcn_code", ["moon"])
    with pytest.raises(InputError, match="no practices with a population"):
        fair_share(practices.clear(), "pcn_code")
    with pytest.raises(InputError, match="head_count or by a component"):
        allocation(shares, 100, "health_inequalities")
