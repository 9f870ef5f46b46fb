"""Splink 5 on DuckDB, clear text, configured as its documentation advises and with what a practised user adds.

`python -m tests.bench.peers.with_splink JOB.json` in the peers' environment.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from tests.bench.peers.job import LINKS, SCORED, Job, Watch, answer, run

THRESHOLD: Final = 0.5
"""Match probability from which a pair is a link by default."""

MATCH_WEIGHTS: Final = range(-10, 31)
"""Where the best threshold is looked for: log2 odds, one bit apart."""

RANDOM_PAIRS: Final = 1e7
"""Pairs drawn to estimate u, which the documentation calls often adequate; its default of 1e6 it warns of."""

SEED: Final = 1
RECALL: Final = 0.8
"""Share of the matches that the deterministic rules are taken to find, for the prior."""


def comparisons(fields: Collection[str]) -> list[Any]:
    """Return a comparison of each thing that the set tells of a person."""
    made = [_name(), _date_of_birth()]
    if "middle_names" in fields:
        made.append(cl.JaroWinklerAtThresholds("middle_names", [0.88]).configure(term_frequency_adjustments=True))
    if "sex" in fields:
        made.append(cl.ExactMatch("sex"))
    if "nhs_number" in fields:
        made.append(cl.DamerauLevenshteinAtThresholds("nhs_number", [1, 2]))
    return made + (_parted_home() if "street" in fields else [_home(fields)])


def _name() -> Any:
    """`ForenameSurnameComparison` with nickname groups, names missing on one side, and one name alone alike."""
    both_missing = "(forename_l is null or forename_r is null) and (surname_l is null or surname_r is null)"
    no_forename = "surname_l = surname_r and (forename_l is null or forename_r is null)"
    no_surname = "forename_l = forename_r and (surname_l is null or surname_r is null)"
    levels = [
        cll.CustomLevel(both_missing, label_for_charts="no name").configure(is_null_level=True),
        cll.ExactMatchLevel("full_name", term_frequency_adjustments=True),
        cll.ColumnsReversedLevel("forename", "surname", symmetrical=True),
        cll.And(cll.ExactMatchLevel("nickname"), cll.ExactMatchLevel("surname")),
        *(
            cll.And(cll.JaroWinklerLevel("forename", similar), cll.JaroWinklerLevel("surname", similar))
            for similar in (0.92, 0.88)
        ),
        cll.CustomLevel(no_forename, label_for_charts="surname, no forename"),
        cll.CustomLevel(no_surname, label_for_charts="forename, no surname"),
        cll.ExactMatchLevel("surname", term_frequency_adjustments=True),
        cll.ExactMatchLevel("forename", term_frequency_adjustments=True),
        cll.ExactMatchLevel("nickname"),
        cll.JaroWinklerLevel("forename", 0.88),
        cll.JaroWinklerLevel("surname", 0.88),
        cll.ElseLevel(),
    ]
    return cl.CustomComparison(output_column_name="name", comparison_levels=levels)


def _date_of_birth() -> Any:
    """`DateOfBirthComparison` with its frequencies, its transpositions and day and month swapped."""
    swapped = (
        "date_of_birth_l = substr(date_of_birth_r, 1, 5) || substr(date_of_birth_r, 9, 2) || '-' "
        "|| substr(date_of_birth_r, 6, 2)"
    )
    near = [
        cll.AbsoluteDateDifferenceLevel("date_of_birth", input_is_string=True, threshold=number, metric=unit)
        for number, unit in ((1, "month"), (1, "year"), (10, "year"))
    ]
    levels = [
        cll.NullLevel("date_of_birth"),
        cll.ExactMatchLevel("date_of_birth", term_frequency_adjustments=True),
        cll.CustomLevel(swapped, label_for_charts="day and month swapped"),
        cll.DamerauLevenshteinLevel("date_of_birth", 1),
        *near,
        cll.ElseLevel(),
    ]
    return cl.CustomComparison(output_column_name="date_of_birth", comparison_levels=levels)


def _home(fields: Collection[str]) -> Any:
    """Postcode, address and UPRN as one comparison: they depend on each other, and households share all of them."""
    nothing = "(address_l is null or address_r is null) and (postcode_l is null or postcode_r is null)"
    levels = [
        cll.CustomLevel(nothing, label_for_charts="no home").configure(is_null_level=True),
        cll.And(cll.ExactMatchLevel("postcode"), cll.ExactMatchLevel("address")),
        *([cll.ExactMatchLevel("uprn")] if "uprn" in fields else []),
        cll.And(cll.ExactMatchLevel("postcode"), cll.JaroWinklerLevel("address", 0.88)),
        cll.ExactMatchLevel("address"),
        cll.JaroWinklerLevel("address", 0.92),
        cll.ExactMatchLevel("postcode"),
        cll.JaroWinklerLevel("address", 0.8),
        *([cll.ExactMatchLevel("sector")] if "sector" in fields else []),
        cll.ExactMatchLevel("outcode"),
        cll.ElseLevel(),
    ]
    return cl.CustomComparison(output_column_name="home", comparison_levels=levels)


def _parted_home() -> list[Any]:
    """Where the address comes in parts and nobody lives together, each part is compared for itself."""
    return [
        cl.ExactMatch("street_number").configure(term_frequency_adjustments=True),
        cl.JaroWinklerAtThresholds("street", [0.92, 0.8]).configure(term_frequency_adjustments=True),
        cl.JaroWinklerAtThresholds("locality", [0.92, 0.8]).configure(term_frequency_adjustments=True),
        cl.JaroWinklerAtThresholds("suburb", [0.92, 0.8]).configure(term_frequency_adjustments=True),
        cl.DamerauLevenshteinAtThresholds("postcode", [1, 2]).configure(term_frequency_adjustments=True),
    ]


def candidates(fields: Collection[str]) -> list[Any]:
    """Return the blocking rules of the prediction."""
    year, month_day = "substr(date_of_birth, 1, 4)", "substr(date_of_birth, 6, 5)"
    year_month, day = "substr(date_of_birth, 1, 7)", "substr(date_of_birth, 9, 2)"
    rules = [
        block_on("date_of_birth"),
        block_on("nickname", "surname"),
        "l.forename = r.surname and l.surname = r.forename",
        block_on("postcode", "substr(forename, 1, 1)"),
        block_on("postcode", "substr(surname, 1, 1)"),
        block_on("postcode", year),
        block_on("address"),
    ]
    for name in ("forename", "surname"):
        rules += [block_on(name, year_month), block_on(name, month_day), block_on(name, year, day)]
    rules += [block_on(name) for name in ("uprn", "nhs_number") if name in fields]
    if "street" in fields:
        rules += [block_on("postcode"), block_on("street_number", "street")]
        rules += [block_on("suburb", "forename"), block_on("suburb", "surname")]
    return rules


def train(linker: Any, fields: Collection[str], watch: Watch) -> None:
    """Estimate the prior from deterministic rules, u from random pairs, m by EM on several kinds of candidates."""
    linker.training.estimate_probability_two_random_records_match(
        [
            block_on("forename", "surname", "date_of_birth"),
            block_on("forename", "date_of_birth", "postcode"),
            block_on("forename", "surname", "postcode", "address"),
        ],
        recall=RECALL,
    )
    watch.lap("prior")
    linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=SEED)
    watch.lap("u")
    sessions = [
        block_on("date_of_birth"),
        block_on("forename", "surname"),
        block_on("forename", "postcode"),
        block_on("forename", "surname", "substr(date_of_birth, 1, 4)"),
    ]
    if "middle_names" in fields:
        sessions.append(block_on("middle_names", "substr(date_of_birth, 1, 7)"))
    for rule in sessions:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    watch.lap("m")


def cluster(con: Any, linker: Any, predicted: Any, free: Sequence[str], threshold: float) -> Any:
    """Return clusters that hold one record at most of each file without duplicates; components where there is none.

    With two such files DuckDB 2.0.0 reorders the joins of a step into a product of all records with all (15 s and
    9 GiB for FEBRL 4 instead of 0.1 s), so the reordering is switched off meanwhile.
    """
    if free:
        con.execute("set disabled_optimizers = 'join_order'")
        clustered = linker.clustering.cluster_using_single_best_links(
            predicted, duplicate_free_datasets=list(free), threshold_match_probability=threshold
        )
        con.execute("reset disabled_optimizers")
        return clustered
    return linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, threshold_match_probability=threshold)


def write_links(con: Any, predicted: Any, clustered: Any, two: bool, free: Sequence[str], path: Path) -> None:
    """Write the predicted pairs; where clusters keep files free of duplicates, those within one cluster."""
    turned = "p.source_dataset_l = 'right'" if two else "false"
    within = ""
    if free:
        within = f"""
        join {clustered.physical_name} as a on a.source_dataset = p.source_dataset_l and a.unique_id = p.unique_id_l
        join {clustered.physical_name} as b on b.source_dataset = p.source_dataset_r and b.unique_id = p.unique_id_r
        where a.cluster_id = b.cluster_id"""
    con.execute(
        f"""copy (select
            case when {turned} then p.unique_id_r else p.unique_id_l end as left,
            case when {turned} then p.unique_id_l else p.unique_id_r end as right,
            p.match_probability as score
        from {predicted.physical_name} as p {within}) to '{path}' (format parquet)"""
    )


def main(job: Job, watch: Watch) -> None:
    """Link as the job says, answer, and only then score below the default threshold."""
    con = duckdb.connect()
    api = DuckDBAPI(con)
    names = ("left", "right")[: len(job.files)]
    for name, path in zip(names, job.files, strict=True):
        con.execute(
            f"""create table {name}_file as select
                * rename (record_id as unique_id), forename || ' ' || surname as full_name
            from read_parquet('{path}')"""
        )
    tables = [api.register(f"{name}_file", dataset_display_name=name) for name in names]
    watch.lap("read")
    two, out = len(names) == 2, Path(job.out)
    settings = SettingsCreator(
        link_type="link_only" if two else "dedupe_only",
        comparisons=comparisons(job.fields),
        blocking_rules_to_generate_predictions=candidates(job.fields),
        retain_matching_columns=False,
    )
    linker = Linker(tables if two else tables[0], settings, log_level="ERROR")
    train(linker, job.fields, watch)
    free = [name for name, unique in zip(names, job.unique, strict=True) if unique]
    predicted = linker.inference.predict(threshold_match_probability=THRESHOLD)
    watch.lap("predict")
    clustered = cluster(con, linker, predicted, free, THRESHOLD)
    watch.lap("cluster")
    write_links(con, predicted, clustered, two, free, out / LINKS)
    watch.lap("write")
    thresholds = [1 / (1 + 2.0**-weight) for weight in MATCH_WEIGHTS]
    answer(job, ("splink", "duckdb"), **watch.told(), threshold=THRESHOLD, thresholds=thresholds)
    if job.sweep:
        # Best links by descending probability: those above a threshold are the same whatever stands below it.
        everything = linker.inference.predict(threshold_match_probability=thresholds[0])
        joined = cluster(con, linker, everything, free, thresholds[0])
        write_links(con, everything, joined, two, free, out / SCORED)


if __name__ == "__main__":
    run(main)
