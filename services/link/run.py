"""`hwlink link` from end to end: read, fit, match, resolve, write, and say how it went."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from linkage.cluster import resolve
from linkage.fit import fit
from linkage.held import HeldSubjects
from linkage.match import Matcher
from linkage.quality.evidence import Census, Evidence, take_census
from linkage.quality.report import VARIABLES, quality_report
from linkage.quality.weights import linkage_weights
from linkage.subjects import Subjects
from linkage.threads import in_threads, made_ahead
from schemas.errors import InputError, Reason
from schemas.model import MatchModel
from services.link.attributes import as_of, read_areas, read_attributes
from services.link.files import EncodedFile, check_alike, open_encoded
from services.link.hidden_key import check_of_key, checked_by_key, without_key
from services.link.outcome import Linked, quality, write_outputs
from services.link.truth import read_truth

QUERY_ROWS: Final = 5_000
"""Subjects whose candidates are weighed at a time, on each thread."""


class Stage(StrEnum):
    """What a run is doing."""

    READ = "read"
    FIT = "fit"
    MATCH = "match"
    RESOLVE = "resolve"
    WRITE = "write"
    CHECK = "check"


Progress = Callable[[Stage, int, int], None]
"""Called with the stage, how much of it is done, and how much there is."""


def _silent(stage: Stage, done: int, total: int) -> None:
    """Tell nobody."""


@dataclass
class _Clock:
    seconds: dict[str, float] = field(default_factory=dict)

    def stage(self, stage: Stage, started: float) -> float:
        """Note how long a stage took since `started`; return the time now."""
        now = time.perf_counter()
        self.seconds[stage.value] = round(self.seconds.get(stage.value, 0.0) + now - started, 3)
        return now


def run(
    left: Path,
    right: Path | None,
    out: Path,
    *,
    shipped: MatchModel,
    model: MatchModel | None = None,
    unique: str | None = None,
    truth: Path | None = None,
    areas: Path | None = None,
    check_key: str | None = None,
    weighted: bool = False,
    seed: int = 1,
    progress: Progress = _silent,
) -> dict[str, Any]:
    """Link two pseudonymised files, or find the duplicates in one; write the outputs into `out`, return the summary.

    `unique` says which files hold one record per person: `both`, `left`, `right` or `none`; without it both do when
    there are two and the one does not. Without `model` one is fitted to the files, starting from `shipped`. `areas`
    names a CSV for quality by deprivation and authority; `check_key` a key (`nhs_number`, `nino`) to hide and link
    again without, as a check; `weighted` gives persons inverse-probability-of-linkage weights. Raises InputError,
    AgreementError or PolicyError as the readers do.
    """
    began = started = time.perf_counter()
    clock = _Clock()
    files = [open_encoded(path) for path in (left, right) if path is not None]
    check_alike(files)
    sources = _sources(files)
    declared = _unique(unique, len(files))
    if check_key is not None:
        check_of_key(check_key)
    known = None if truth is None else read_truth(truth, two_files=len(files) == 2)
    _make_folder(out)

    generator = np.random.default_rng(seed)
    linked, census = _link(files, sources, declared, shipped, model, seed, generator, progress, clock)
    used, started = linked.model, time.perf_counter()

    progress(Stage.WRITE, 0, 1)
    attributes = read_attributes(files, sources, census, as_of(files), None if areas is None else read_areas(areas))
    estimated = quality_report(
        census,
        linked.resolution.links,
        linked.resolution.labels,
        used,
        attributes,
        generator,
    )
    started = clock.stage(Stage.WRITE, started)
    if check_key is not None:
        progress(Stage.CHECK, 0, 1)
        hidden, everyone = _link(
            without_key(files, check_key), sources, declared, shipped, model, seed, generator, _silent, _Clock()
        )
        checked = checked_by_key(check_key, files, sources, declared, everyone, hidden.resolution.labels)
        estimated = estimated.model_copy(update={"key_check": checked})
        started = clock.stage(Stage.CHECK, started)
    summary: dict[str, Any] = {
        "files": [
            {
                "path": str(file.path),
                "source": file.declaration.source,
                "records": file.rows,
                "one_record_per_person": u,
            }
            for file, u in zip(files, declared, strict=True)
        ],
        "model": {"model_id": used.model_id, "fitted": model is None},
        "counts": {**linked.counts(), "unlinkable": int(census.unlinkable.sum())},
        "review_per_10000_subjects": linked.review_per_10000(),
        "fit": None if used.report is None else used.report.model_dump(mode="json"),
        "quality": None if known is None else quality(linked, known),
        "estimated": estimated.model_dump(mode="json"),
    }
    clock.stage(Stage.WRITE, started)
    summary["seconds"] = {**clock.seconds, "total": round(time.perf_counter() - began, 3)}
    summary["peak_memory_mib"] = _peak_memory_mib()
    weights = _weights(linked, census, attributes) if weighted else None
    write_outputs(linked, out, summary, weights)
    return summary


def _weights(linked: Linked, census: Census, attributes: Mapping[str, pl.Series]) -> pl.Series:
    """Return the weight of each row of `Linked.labelled`, null for the unlinked."""
    source = pl.Series(census.sources, dtype=pl.String).gather(census.source)
    seen = Evidence.of(census, linked.resolution.links, linked.resolution.labels)
    made = seen.between & seen.linked
    has = np.zeros(len(census), dtype=np.bool_)
    has[seen.left[made]] = has[seen.right[made]] = True
    variables = [attributes[name] for name in VARIABLES if name in attributes]
    weight = linkage_weights(source, variables, has)
    # The census is in the order of reading, the outcome in that of the files.
    file = np.asarray([linked.sources.index(name) for name in census.sources])[census.source]
    return pl.Series(weight[np.argsort(file, kind="stable")]).fill_nan(None)


def _link(
    files: list[EncodedFile],
    sources: tuple[str, ...],
    declared: tuple[bool, ...],
    shipped: MatchModel,
    model: MatchModel | None,
    seed: int,
    generator: np.random.Generator,
    progress: Progress,
    clock: _Clock,
) -> tuple[Linked, Census]:
    """Read, fit, match and resolve; return the outcome and who there is."""
    started = time.perf_counter()
    held = _read(files, sources, declared, shipped, progress)
    started = clock.stage(Stage.READ, started)

    progress(Stage.FIT, 0, 1)
    used = fit(held, shipped, seed) if model is None else model
    if model is not None:
        held.block_by(model)
    started = clock.stage(Stage.FIT, started)

    matcher = Matcher(used)
    pairs = _match(matcher, held, progress)
    started = clock.stage(Stage.MATCH, started)

    progress(Stage.RESOLVE, 0, 1)
    census = take_census(held, matcher, generator)
    everyone, roster, pairs = _everyone(held, pairs)
    del held  # its tokens and filters are most of the memory, and nothing needs them from here on
    resolution = resolve(roster, pairs, used.policy)
    # A resolution has its subjects in the roster's order, which is its own.
    labels = resolution.labels.with_columns(roster["number"])
    linked = Linked(sources, everyone, replace(resolution, labels=labels), used)
    clock.stage(Stage.RESOLVE, started)
    return linked, census


def fit_files(
    left: Path, right: Path | None, *, shipped: MatchModel, unique: str | None = None, seed: int = 1
) -> MatchModel:
    """Return a model fitted to one or two pseudonymised files, as `run` would."""
    files = [open_encoded(path) for path in (left, right) if path is not None]
    check_alike(files)
    return fit(_read(files, _sources(files), _unique(unique, len(files)), shipped, _silent), shipped, seed)


def _sources(files: list[EncodedFile]) -> tuple[str, ...]:
    """Return a source id for each file; two files of one source are told apart, or their subjects would be one's."""
    names = [file.declaration.source for file in files]
    return tuple(names) if len(set(names)) == len(names) else tuple(f"{name}#{n}" for n, name in enumerate(names, 1))


def _unique(option: str | None, files: int) -> tuple[bool, ...]:
    choice = option or ("both" if files == 2 else "none")
    if choice not in {"both", "left", "right", "none"}:
        raise InputError(Reason.OPTION_INVALID, "--unique is both, left, right or none; give one of them.")
    return (choice in {"both", "left"}, choice in {"both", "right"})[:files]


def _unblocked(shipped: MatchModel) -> MatchModel:
    """Return the model without blocking: its final passes are known only when all is read, and keyed then, once."""
    return shipped.model_copy(update={"passes": (), "crossings": ()})


def _read(
    files: list[EncodedFile],
    sources: tuple[str, ...],
    unique: tuple[bool, ...],
    shipped: MatchModel,
    progress: Progress,
) -> HeldSubjects:
    """Take every file in, the larger first: each row looks for candidates among those before it, so few ask many."""
    done, total = 0, sum(file.rows for file in files)
    held = HeldSubjects(_unblocked(shipped))
    held.reserve(total)
    for number in sorted(range(len(files)), key=lambda n: -files[n].rows):
        source, declared = sources[number], unique[number]
        batches = made_ahead(files[number].batches())
        for batch in made_ahead(Subjects.from_batch(each, source, declared) for each in batches):
            held.upsert(batch)
            done += len(batch)
            progress(Stage.READ, done, total)
    return held


def _match(matcher: Matcher, held: HeldSubjects, progress: Progress) -> pl.DataFrame:
    """Return every pair worth emitting, in the order of the rows that asked, with the rows of both."""
    asking = held.asking()
    pieces = [asking[start : start + QUERY_ROWS] for start in range(0, len(asking), QUERY_ROWS)]
    nobody = np.zeros(0, dtype=np.int64)
    found = [matcher.match(nobody, held, numbered=True)]
    for number, pairs in enumerate(in_threads(lambda rows: matcher.match(rows, held, numbered=True), pieces), start=1):
        found.append(pairs)
        progress(Stage.MATCH, number, len(pieces))
    return pl.concat(found)


def _everyone(held: HeldSubjects, pairs: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return (source and subject_ref of every subject, the roster of those that have a pair, the pairs).

    A subject without a pair is a person of its own whoever else there is, so only the others need resolving. Subjects
    are numbered as a census does, and are never looked up by their names: `number` of the roster, which is in order of
    (source, subject_ref), and `left_number` and `right_number` of the pairs.
    """
    subjects = held.subjects
    alive, number = np.flatnonzero(held.alive), np.cumsum(held.alive) - 1
    everyone = pl.DataFrame(
        {
            "source": pl.Series(subjects.sources, dtype=pl.String).gather(subjects.source[alive]),
            "subject_ref": subjects.ref_column(alive),
        }
    )
    ends = {f"{side}_number": number[pairs[f"{side}_row"].to_numpy()] for side in ("left", "right")}
    has_pair = np.zeros(len(alive), dtype=np.bool_)
    for end in ends.values():
        has_pair[end] = True
    paired = np.flatnonzero(has_pair)
    rows = alive[paired]
    roster = everyone[paired].with_columns(
        number=paired,
        one_record_per_person=subjects.one_record_per_person(rows),
        version=subjects.version[rows],
        claim_group=_binary(subjects.claim_group[rows]),
    )
    return everyone, roster.sort("source", "subject_ref"), pairs.drop("left_row", "right_row").with_columns(**ends)


def _binary(words: np.typing.NDArray[np.uint64]) -> pl.Series:
    """Return claim groups as opaque bytes, null for none: enough to tell whether two are the same."""
    octets = pl.Series(words).cast(pl.String).cast(pl.Binary)
    return pl.select(pl.when(pl.Series(words != 0)).then(octets)).to_series()


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError:
        raise InputError(
            Reason.OPTION_INVALID, "The output folder cannot be made; name a folder that can be written to."
        ) from None


def _peak_memory_mib() -> int:
    """Return the greatest resident memory of this process so far (getrusage counts KiB, on macOS bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak / (1024 * 1024 if sys.platform == "darwin" else 1024))
