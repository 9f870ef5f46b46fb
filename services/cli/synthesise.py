"""`hwlink synthesise`: a made-up population as files, with the truth, to try and to measure the line with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import polars as pl

ROW_GROUP_ROWS = 65_536
"""Rows of a Parquet row group: readers that take a group at a time stay small."""


def register(app: typer.Typer) -> None:
    """Add the command `synthesise`."""
    app.command("synthesise")(synthesise)


def synthesise(
    out: Annotated[Path, typer.Argument(help="Folder to write into; made if it is not there.", metavar="OUT")],
    people: Annotated[int, typer.Option(help="Rows of the health file: people registered with a GP.")] = 10_000,
    claims: Annotated[int, typer.Option(help="Rows of the welfare file: a person's part in a claim.")] = 2_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.", min=0)] = 1,
    error_scale: Annotated[float, typer.Option(help="Multiplies every rate of change and error; 0 leaves none.")] = 1.0,
    overlap: Annotated[float, typer.Option(help="Share of the welfare file's people who have a health record.")] = 0.93,
    with_feeds: Annotated[
        bool, typer.Option("--feeds", help="Also write the records of every source, in the folder OUT/feeds.")
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write CSV with JSON lists instead of Parquet.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Write made-up health and welfare files, the truth between them, and the geography they live in.

    With --feeds also what each source of a deployment would hold of the same people, and in OUT/feeds/reference the
    geography as `hwlink reference import` takes it.
    """
    from linkage.synthesise import feeds, geography, population
    from linkage.synthesise.feeds.published import published

    made = population(people, claims, seed=seed, error_scale=error_scale, overlap=overlap)
    _make_folder(out)
    suffix = "csv" if csv else "parquet"
    frames = {
        f"health.{suffix}": made.health,
        f"welfare.{suffix}": made.welfare,
        "truth.csv": made.truth,
        "geography.csv": geography.table(),
    }
    if with_feeds:
        _make_folder(out / "feeds")
        every = feeds(people, claims, seed=seed, error_scale=error_scale, overlap=overlap)
        frames |= {f"feeds/{source}.{suffix}": frame for source, frame in every.frames.items()}
        frames |= {
            "feeds/truth.csv": every.truth,
            "feeds/geography.csv": every.geography,
            "feeds/practices.csv": every.practices,
        }
        _make_folder(out / "feeds" / "reference")
        frames |= {f"feeds/reference/{kind}.csv": frame for kind, frame in published().items()}
    for name, frame in frames.items():
        _write(frame, out / name)
    if as_json:
        files = [{"path": str(out / name), "rows": frame.height} for name, frame in frames.items()]
        typer.echo(json.dumps({"seed": seed, "error_scale": error_scale, "overlap": overlap, "files": files}))
        return
    meaning = {
        "truth.csv": "pairs of one person",
        "geography.csv": "small areas",
        "feeds/truth.csv": "records and whose they are",
        "feeds/geography.csv": "small areas of both versions",
        "feeds/practices.csv": "practices",
    }
    for name, frame in frames.items():
        what = "rows, as their publisher lays them out" if "/reference/" in name else meaning.get(name, "records")
        typer.echo(f"wrote {out / name}: {frame.height:,} {what}")


def _make_folder(out: Path) -> None:
    from schemas.errors import InputError, Reason

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError:
        raise InputError(
            Reason.OPTION_INVALID, "The output folder cannot be made; name a folder that can be written to."
        ) from None


def _write(frame: pl.DataFrame, path: Path) -> None:
    """Write a frame by the ending of `path`, complete or not at all: beside it first, then in its place."""
    beside = path.with_name(path.name + ".part")
    if path.suffix == ".csv":
        _flat(frame).write_csv(beside)
    else:
        frame.write_parquet(beside, row_group_size=ROW_GROUP_ROWS)
    beside.replace(path)


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with each list column as JSON text, dates as YYYY-MM-DD."""
    import polars as pl
    import polars.selectors as cs

    return frame.with_columns(
        pl.format("[{}]", pl.col(name).list.eval(pl.element().struct.json_encode()).list.join(",")).alias(name)
        for name in frame.select(cs.list()).columns
    )
