"""The welfare feeds of the made-up population, written as their sources' files and read again: the same people, and the
same facts but for what a layout has no place for.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from linkage.encode import ProjectKeys, encode
from linkage.synthesise.feeds import feeds
from linkage.synthesise.layouts import hclic, plain, shbe
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from services.pseudonymise import Report
from services.pseudonymise.clear import ClearSource
from services.pseudonymise.fitness import Verdict, check
from services.pseudonymise.layouts import open_layout

AGREEMENT = shipped_agreement("test")
KEYS = ProjectKeys(bytes(range(32)), AGREEMENT.key_epoch)
EXTRACTED_ON = date(2026, 6, 30)
UNIT = {"unit": "pence"}
SHBE = {
    **UNIT, "passported": {code: kind.value for kind, code in shbe.PASSPORTED.items()},
    "rent_period_weeks": {shbe.RENT_PERIOD: 1}, "cap_field": shbe.CAP_FIELD, "supported_field": shbe.SUPPORTED_FIELD,
}  # fmt: skip
_AWARD = ("weekly_award_pence", "weekly_cap_reduction_pence", "weekly_earnings_pence", "weekly_income_pence",
          "weekly_contractual_rent_pence", "weekly_lha_pence", "weekly_work_hours", "disability_premium",
          "carer_premium")  # fmt: skip


@pytest.fixture(scope="module")
def frames() -> dict[str, pl.DataFrame]:
    """A small population's welfare records by source."""
    return dict(feeds(2_500, 900, seed=3).frames)


def encoded(frame: pl.DataFrame) -> pl.DataFrame:
    return encode(frame, AGREEMENT, KEYS, Feed.WELFARE, True, source="a.b", latest=EXTRACTED_ON).frame


def read_again(folder: Path, layout: str, tables: dict[str, pl.DataFrame], settings: dict[str, Any]) -> pl.DataFrame:
    for name, table in tables.items():
        table.write_csv(folder / f"{name}.csv")
    chunks = open_layout(layout, settings).rows(folder, EXTRACTED_ON, Report("out"))
    return encoded(pl.concat([chunk.frame for chunk in chunks]))


def facts(frame: pl.DataFrame, name: str, without: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """Facts by record, in any order, but for members that the layout has no place for."""
    return {
        ref: sorted(repr({k: v for k, v in one.items() if k not in without}) for one in found)
        for ref, found in frame.select("subject_ref", name).iter_rows()
        if found
    }


@pytest.mark.parametrize(
    ("layout", "source", "write", "settings", "lists"),
    [
        ("arrears", "medway.housing", lambda f: {"arrears": plain.arrears(f)}, UNIT, {"arrears": ()}),
        ("ctr", "medway.ctr", lambda f: {"ctr": plain.ctr(f)}, UNIT, {"claims": ()}),
        ("awards", "medway.ctr", lambda f: {"awards": plain.awards(f)}, UNIT, {"awards": ()}),
        ("uc", "dwp.uc", plain.uc, UNIT, {"claims": _AWARD, "credit_periods": (), "deductions": ()}),
        (
            "living-standard", "medway.lift", lambda f: {"living-standard": plain.living_standard(f)},
            {**UNIT, "definition_source": "supplier.2026-04"},
            {"living_standards": ("definition_source",), "unclaimed": (), "dwellings": ()},
        ),
        ("hclic", "medway.hclic", hclic.sections, {}, {"homelessness": ("temporary_accommodation",)}),
    ],
)  # fmt: skip
def test_a_feed_survives_its_source_s_file(
    frames: dict[str, pl.DataFrame], tmp_path: Path, layout: str, source: str, write: Any, settings: Any, lists: Any
) -> None:
    """Record by record, with the same tokens."""
    frame = frames[source]
    group = {"ctr": "claim_reference", "uc": "claim_reference"}.get(layout)
    if group is not None:
        frame = frame.with_columns(record_id=pl.concat_str(group, pl.lit("|"), "record_id"))
    if layout == "hclic":
        case = pl.col("homelessness").list.first().struct.field("case_reference")
        one = pl.col("homelessness").list.eval(pl.element().struct.field("case_reference")).list.n_unique() == 1
        frame = frame.filter(one).with_columns(record_id=pl.concat_str(case, pl.lit("|"), "record_id"))
    seen, expected = read_again(tmp_path, layout, write(frame), settings), encoded(frame)
    for name, without in lists.items():
        assert facts(seen, name, without) == facts(expected, name, without)
    tokens = ["subject_ref", "token_nino", "token_surname", "token_date_of_birth", "token_postcode"]
    both = seen.select(tokens).join(expected.select(tokens), on="subject_ref", how="left", maintain_order="left")
    assert both.height > 50
    for token in tokens[1:]:
        assert both[token].eq_missing(both[f"{token}_right"]).all()


def test_an_shbe_extract_of_the_feed_holds_the_same_claims(frames: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    """With defects too: what is wrong is counted, and the rest is as it was."""
    frame = frames["medway.shbe"]
    defects = shbe.Defects(empty_nino=0.02, dummy_nino=0.05, members_without_claim=2, repeated_claims=2)
    extract = shbe.extract(frame, names=True, defects=defects, chance=np.random.default_rng(1))
    extract.write_csv(tmp_path / "shbe.csv")
    report = Report("out")
    layout = open_layout("shbe", SHBE)
    clear = pl.concat([chunk.frame for chunk in layout.rows(tmp_path / "shbe.csv", EXTRACTED_ON, report)])
    seen, expected = encoded(clear), encoded(frame)
    roles = ["claim_group", "claim_role"]

    assert seen.group_by(roles).len().sort(roles).equals(expected.group_by(roles).len().sort(roles))
    amounts = [
        "weekly_award_pence",
        "weekly_contractual_rent_pence",
        "capital_pence",
        "children_declared",
        "passported",
    ]
    for one, other in zip(*(
        f.filter(pl.col("claim_role") == "claimant").sort("claim_group")["claims"].to_list() for f in (seen, expected)
    ), strict=True):  # fmt: skip
        assert [{k: c[k] for k in amounts} for c in one] == [{k: c[k] for k in amounts} for c in other]
    assert report.layout_counts["members (S) without a live claim, left out"] == 2
    assert report.layout_counts["live claims that stand there twice, the first kept"] == 2

    fitness = check(ClearSource(tmp_path / "shbe.csv", Feed.WELFARE, layout), AGREEMENT, EXTRACTED_ON)
    assert fitness.verdict is Verdict.WARNINGS
    assert ("dummy values", "nino") in {(f.check, f.field) for f in fitness.findings}
