"""`hwlink link`: link two pseudonymised files, or find the duplicates in one, without any service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from services.link import Stage

OUTPUTS = ("links.parquet", "persons.parquet", "summary.json", "evidence.parquet", "model.json")
"""Files that the command writes."""


def register(app: typer.Typer) -> None:
    """Add the command `link`."""
    app.command("link")(link)


def link(
    left: Annotated[Path, typer.Argument(help="A pseudonymised file.", metavar="LEFT")],
    right: Annotated[
        Path | None, typer.Argument(help="Another; left out, duplicates in LEFT are found.", metavar="[RIGHT]")
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the outputs.")] = Path("linked"),
    unique: Annotated[
        str | None,
        typer.Option(
            "--unique",
            metavar="both|left|right|none",
            help="Which files hold one record per person. Default: both of two, and not the only one.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="M", help="A model file, or `default`. Without it one is fitted to the files."),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(
            "--truth", metavar="T.csv", help="Score against left_subject,right_subject, or subject,person for one file."
        ),
    ] = None,
    areas: Annotated[
        Path | None,
        typer.Option(
            "--areas", metavar="AREAS.csv", help="lsoa,authority,imd_decile: quality by deprivation and authority."
        ),
    ] = None,
    check_key: Annotated[
        str | None,
        typer.Option(
            "--check-key",
            metavar="nhs_number|nino",
            help="Link again without this key, and check by it (twice the time).",
        ),
    ] = None,
    weights: Annotated[
        bool, typer.Option("--weights", help="Give linked subjects inverse-probability-of-linkage weights.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of what fitting draws at random.", min=0)] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Link LEFT with RIGHT and write links.parquet, persons.parquet, summary.json, and what explains the links."""
    from schemas.model import default_model
    from services.cli.model import read_model
    from services.link import run

    with _progress() as report:
        summary = run(
            left,
            right,
            out,
            shipped=default_model(),
            model=None if model is None else read_model(model),
            unique=unique,
            truth=truth,
            areas=areas,
            check_key=check_key,
            weighted=weights,
            seed=seed,
            progress=report,
        )
    if as_json:
        typer.echo(json.dumps(summary))
    else:
        typer.echo(_told(summary, out))


def _told(summary: dict[str, Any], out: Path) -> str:
    counts, seconds = summary["counts"], summary["seconds"]
    lines = [
        f"{counts['subjects']:,} subjects, {counts['link']:,} links, {counts['review']:,} pairs to review "
        f"({summary['review_per_10000_subjects']} per 10,000 subjects), {counts['unlinkable']:,} unlinkable",
        f"{counts['persons']:,} persons, {counts['persons_of_two_or_more']:,} of them of two or more subjects",
        f"model {summary['model']['model_id']}; {seconds['total']} s; peak memory {summary['peak_memory_mib']} MiB",
    ]
    for name in ("links", "persons"):
        accuracy = summary["estimated"][name]
        told = ", ".join(f"{part} {_estimate(accuracy[part])}" for part in ("precision", "recall"))
        lines.append(f"{name}, estimated without labels: {told}")
    if (check := summary["estimated"]["key_check"]) is not None:
        told = ", ".join(f"{part} {_estimate(check[part])}" for part in ("precision", "recall"))
        lines.append(f"linked again without {check['key']}, {check['true_pairs']:,} pairs share it: {told}")
    for name, score in (summary["quality"] or {}).items():
        ratios = ", ".join(f"{ratio} {score[ratio]:.4f}" for ratio in ("precision", "recall", "f1"))
        lines.append(f"{name.replace('_', ' ')}: {ratios}")
    lines += [f"wrote {out / name}" for name in OUTPUTS]
    return "\n".join(lines)


def _estimate(estimate: dict[str, Any]) -> str:
    if estimate["value"] is None:
        return f"not estimable ({estimate['not_estimable'].replace('_', ' ')})"
    return f"{estimate['value']:.4f} ({estimate['low']:.4f} to {estimate['high']:.4f})"


def _progress() -> Any:
    """Return a context that shows progress on standard error and gives the function to report it with."""
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    @contextmanager
    def shown() -> Any:
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
            tasks: dict[Stage, Any] = {}

            def report(stage: Stage, done: int, total: int) -> None:
                if stage not in tasks:
                    tasks[stage] = bars.add_task(stage.value, total=total)
                bars.update(tasks[stage], completed=done, total=total)

            yield report

    return shown()
