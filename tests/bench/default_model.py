"""Writes the shipped match model: `python -m tests.bench.default_model`.

The starting values below are general knowledge about British records. They are moved by made-up populations, averaged,
and shipped: what a model falls back on where a deployment's own data teach too little.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import polars as pl

import schemas.model
from linkage.encode import ProjectKeys, encode
from linkage.fit import fit
from linkage.held import HeldSubjects
from linkage.levels import with_unions
from linkage.subjects import Subjects
from linkage.synthesise import population
from schemas.agreement import shipped_agreement
from schemas.contracts.base import Feed
from schemas.model import COMPARISONS, BlockPass, Comparison, DiceCuts, MatchModel, Relatives

SEEDS = (101, 102, 103)  # populations of their own, never measured on

PASSES = {
    "nhs_number": [["token_nhs_number"]],
    "nino": [["token_nino"]],
    "date_forename": [["token_date_of_birth"], ["token_forename_phonetic"]],
    "date_surname": [["token_date_of_birth"], ["token_surname_phonetic"]],
    "date_outcode": [["token_date_of_birth"], ["token_outcode"]],
    "date_uprn": [["token_date_of_birth"], ["token_uprn"]],
    "names": [["token_forename", "token_surname"]],
    "names_outcode": [["token_forename_phonetic", "token_surname_phonetic"], ["token_outcode"]],
    "year_month_names": [["key_year_month_forename"], ["token_surname_phonetic"]],
    "year_day_names": [["key_year_day_forename"], ["token_surname_phonetic"]],
    "month_day_names": [["key_month_day_forename"], ["token_surname_phonetic"]],
    "postcode_forename": [["token_postcode"], ["token_forename_phonetic"]],
    "postcode_surname": [["token_postcode"], ["token_surname_phonetic"]],
    "address_forename": [["token_address"], ["token_forename_phonetic"]],
    "dates_swapped_surname": [["token_date_of_birth", "token_date_of_birth_swapped"], ["token_surname_phonetic"]],
    # Last, so that a fit of data without pseudonyms draws what it drew before there were any.
    "pseudonym": [["token_pseudonym"]],
}
BROAD_PASSES = {
    "date": [["token_date_of_birth"]],
    "postcode": [["token_postcode"]],
    "address": [["token_address"]],
    "forename_outcode": [["token_forename_phonetic"], ["token_outcode"]],
    "surname_outcode": [["token_surname_phonetic"], ["token_outcode"]],
}
CROSSINGS = (("date_forename", "date_surname"), ("postcode_forename", "postcode_surname"))

M = {
    "forename": {
        "exact": 0.86,
        "nickname": 0.03,
        "close": 0.04,
        "phonetic": 0.015,
        "similar": 0.02,
        "faint": 0.008,
        "different": 0.014,
        "swapped": 0.005,
        "half_swapped": 0.003,
        "middle": 0.005,
    },
    "surname": {"exact": 0.90, "close": 0.04, "phonetic": 0.01, "similar": 0.015, "faint": 0.006, "different": 0.029},
    "middle_names": {"exact": 0.75, "different": 0.25},
    "date_of_birth": {
        "exact_same_sex": 0.955,
        "exact_other_sex": 0.004,
        "swapped": 0.004,
        "year_month": 0.012,
        "year_day": 0.006,
        "month_day": 0.012,
        "different": 0.007,
    },
    "nhs_number": {"exact": 0.99, "different": 0.01},
    "nino": {"exact": 0.985, "different": 0.015},
}
U = {
    "forename": {
        "exact": 0.005,
        "nickname": 0.003,
        "close": 0.002,
        "phonetic": 0.005,
        "similar": 0.02,
        "faint": 0.02,
        "different": 0.943,
        "swapped": 1e-7,
        "half_swapped": 2e-4,
        "middle": 0.002,
    },
    "surname": {
        "exact": 0.0012,
        "close": 0.0008,
        "phonetic": 0.003,
        "similar": 0.01,
        "faint": 0.015,
        "different": 0.97,
    },
    "middle_names": {"exact": 0.008, "different": 0.992},
    "date_of_birth": {
        "exact_same_sex": 2e-5,
        "exact_other_sex": 2e-5,
        "swapped": 2e-5,
        "year_month": 0.001,
        "year_day": 0.0004,
        "month_day": 0.0028,
        "different": 0.99574,
    },
    "nhs_number": {"exact": 1e-7, "different": 1 - 1e-7},
    "nino": {"exact": 1e-7, "different": 1 - 1e-7},
}
CUTS = DiceCuts(name_contained=0.6, name_unshared_bits=64)  # 64 bits: what two wrong letters change
# Address and postcode of one place, rows of address (same, close, similar, different), columns of postcode (same,
# outcode, different).
M_HOME = [[0.66, 0.015, 0.01], [0.08, 0.004, 0.003], [0.04, 0.003, 0.003], [0.012, 0.08, 0.09]]
U_HOME = [[1e-5, 1e-6, 1e-5], [3e-5, 2e-5, 1e-4], [8e-5, 3e-4, 1.5e-3], [2e-4, 0.03, 0.968]]


def passes(table: dict[str, list[list[str]]]) -> tuple[BlockPass, ...]:
    return tuple(BlockPass(name=name, parts=tuple(tuple(part) for part in parts)) for name, parts in table.items())


def levels(name: str, plain: dict[str, float]) -> tuple[float, ...]:
    raw = np.asarray([plain.get(level, 0.0) for level in COMPARISONS[name]])
    return tuple(float(p) for p in with_unions(name, raw))


def home(table: list[list[float]]) -> dict[str, float]:
    names = [
        [f"address_{a}_postcode_{p}" for p in ("same", "outcode", "different")]
        for a in ("same", "close", "similar", "different")
    ]
    return {
        name: value for row, values in zip(names, table, strict=False) for name, value in zip(row, values, strict=False)
    }


def starting_model() -> MatchModel:
    m, u = {**M, "home": home(M_HOME)}, {**U, "home": home(U_HOME)}
    return MatchModel(
        model_id="hwlink-default-1",
        cuts=CUTS,
        title="hwlink default model: general values, nothing learnt from any deployment",
        passes=passes(PASSES),
        broad_passes=passes(BROAD_PASSES),
        crossings=CROSSINGS,
        comparisons=tuple(Comparison(name=n, m=levels(n, m[n]), u=levels(n, u[n])) for n in COMPARISONS),
        relatives=Relatives(
            date_of_birth=levels(
                "date_of_birth",
                {
                    "exact_same_sex": 0.008,
                    "exact_other_sex": 0.006,
                    "swapped": 0.0003,
                    "year_month": 0.002,
                    "year_day": 0.003,
                    "month_day": 0.004,
                    "different": 0.9767,
                },
            ),
            forename_same_date=levels(
                "forename",
                {
                    "exact": 0.01,
                    "nickname": 0.003,
                    "close": 0.01,
                    "phonetic": 0.007,
                    "similar": 0.05,
                    "faint": 0.03,
                    "different": 0.881,
                    "swapped": 0.001,
                    "half_swapped": 0.001,
                    "middle": 0.007,
                },
            ),
            forename_near_date=levels(
                "forename",
                {
                    "exact": 0.025,
                    "nickname": 0.003,
                    "close": 0.006,
                    "phonetic": 0.006,
                    "similar": 0.03,
                    "faint": 0.02,
                    "different": 0.8885,
                    "swapped": 0.0005,
                    "half_swapped": 0.0005,
                    "middle": 0.0205,
                },
            ),
            forename_other_date=levels(
                "forename",
                {
                    "exact": 0.02,
                    "nickname": 0.003,
                    "close": 0.004,
                    "phonetic": 0.006,
                    "similar": 0.03,
                    "faint": 0.02,
                    "different": 0.8955,
                    "swapped": 0.0005,
                    "half_swapped": 0.0005,
                    "middle": 0.0205,
                },
            ),
            surname=levels(
                "surname",
                {"exact": 0.75, "close": 0.01, "phonetic": 0.005, "similar": 0.015, "faint": 0.01, "different": 0.21},
            ),
            middle_names=levels("middle_names", {"exact": 0.06, "different": 0.94}),
            home=levels("home", home(M_HOME)),
        ),
        default_log2_prior=-15.0,
        default_log2_relatives=-16.0,
    )


def trained_model(seeds: Sequence[int] = SEEDS, people: int = 40_000, claims: int = 10_000) -> MatchModel:
    """The starting model moved half of the way to what made-up populations at two error scales taught on average;
    nothing else of them is kept.
    """
    start = starting_model()
    # Populations make only the mistakes that they are made to make. Half of each m stays general knowledge, or a level
    # that they never show would count as impossible elsewhere (`linkage/decisions/0012`).
    fitted = [fit(_held(start, seed, scale, people, claims), start) for seed in seeds for scale in (1.0, 2.0)]

    def mean(values: Iterable[Sequence[float]]) -> tuple[float, ...]:
        return tuple(float(f"{value:.6g}") for value in np.mean([list(v) for v in values], axis=0))

    comparisons = []
    for place, name in enumerate(COMPARISONS):
        models = [f.comparisons[place] for f in fitted]
        taught = mean(c.m for c in models)
        m = mean((taught, start.comparisons[place].m))
        comparisons.append(Comparison(name=name, m=m, u=mean(c.u for c in models)))
    relatives = {field: mean(getattr(f.relatives, field) for f in fitted) for field in Relatives.model_fields}
    return start.model_copy(update={"comparisons": tuple(comparisons), "relatives": Relatives(**relatives)})


def _held(model: MatchModel, seed: int, scale: float, people: int, claims: int) -> HeldSubjects:
    agreement = shipped_agreement("test")
    keys = ProjectKeys(bytes(range(32)), agreement.key_epoch)
    made = population(people, claims, seed=seed, error_scale=scale)
    held = HeldSubjects(model)
    for source, feed, clear in (
        ("trust.health", Feed.HEALTH, made.health),
        ("council.shbe", Feed.WELFARE, made.welfare),
    ):
        identity = clear.select(c for c in clear.columns if clear[c].dtype == pl.String)
        frame = encode(identity, agreement, keys, feed, source=source).frame.with_columns(source=pl.lit(source))
        held.upsert(Subjects.from_frame(frame, {source: feed is Feed.HEALTH}))
    return held


def main() -> None:
    path = Path(schemas.model.__file__).parent / "models" / "default.json"
    path.write_text(trained_model().model_dump_json(indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
