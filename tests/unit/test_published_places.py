"""The made-up geography survives the way through its publishers' layouts into a reference store."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from linkage.reference import KINDS
from linkage.synthesise.feeds import places
from linkage.synthesise.feeds.published import VINTAGES, published
from services.reference import import_table, open_store


def test_what_is_published_gives_the_places_back(tmp_path: Path) -> None:
    files = published()
    assert files.keys() == VINTAGES.keys() <= KINDS.keys()
    for kind, frame in files.items():
        path = tmp_path / f"{kind}.csv"
        frame.write_csv(path)
        import_table(tmp_path / "store", KINDS[kind], path, VINTAGES[kind])

    store = open_store(tmp_path / "store")
    for edition, version in (("2025", "2021"), ("2019", "2011")):
        wanted = places.table().filter(pl.col("lsoa_version") == version)
        found = store.geography(edition).join(wanted.select("lsoa"), on="lsoa", how="semi")
        told = ["lsoa", "authority", "imd_decile", "imd_version"]
        assert found.select(told).sort("lsoa").equals(wanted.select(told).sort("lsoa"))
    now = places.table().filter(pl.col("lsoa_version") == "2021").drop("imd_version", "imd_decile")
    found = store.geography("2025").join(now.select("lsoa"), on="lsoa", how="semi").select(now.columns)
    assert found.sort("lsoa").equals(now.sort("lsoa"))
    assert store.practices().equals(places.practices().sort("practice_code"))
