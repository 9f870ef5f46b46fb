"""`hwlink model fit` and `hwlink model show`: make a match model from files, and look into one."""

from __future__ import annotations

import json
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from schemas.model import MatchModel


def register(app: typer.Typer) -> None:
    """Add the commands `model fit` and `model show`."""
    group = typer.Typer(help="Fit a match model to files, or look into one.", no_args_is_help=True)
    group.command("fit")(model_fit)
    group.command("show")(model_show)
    app.add_typer(group, name="model")


def read_model(name: str) -> MatchModel:
    """Return a model by file name, or the shipped one for `default`; InputError FILE_UNREADABLE or FIELD_INVALID."""
    from schemas.errors import InputError, Reason
    from schemas.model import default_model, parse_model

    if name == "default":
        return default_model()
    try:
        text = Path(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError(
            Reason.FILE_UNREADABLE, f"The model file {Path(name).name} cannot be read; name a JSON file, or `default`."
        ) from None
    return parse_model(text)


def model_fit(
    left: Annotated[Path, typer.Argument(help="A pseudonymised file.", metavar="LEFT")],
    right: Annotated[Path | None, typer.Argument(help="Another to link it with.", metavar="[RIGHT]")] = None,
    out: Annotated[Path, typer.Option("--out", metavar="MODEL.json", help="Where to write it.")] = Path("model.json"),
    unique: Annotated[
        str | None,
        typer.Option("--unique", metavar="both|left|right|none", help="Which files hold one record per person."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of what fitting draws at random.", min=0)] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Fit a model to the files, without labels, and write it. It holds token prefixes: keep it in the linkage zone."""
    from schemas.errors import InputError, Reason
    from schemas.model import default_model
    from services.link import fit_files

    fitted = fit_files(left, right, shipped=default_model(), unique=unique, seed=seed)
    try:
        out.write_text(fitted.model_dump_json(indent=1) + "\n", "utf-8")
    except OSError as error:
        raise InputError(
            Reason.OPTION_INVALID, f"{out.name} cannot be written ({error.strerror}); name another place."
        ) from None
    assert fitted.report is not None  # noqa: S101 - a fit always reports
    if as_json:
        typer.echo(
            json.dumps({"model_id": fitted.model_id, "path": str(out), "fit": fitted.report.model_dump(mode="json")})
        )
        return
    used = sum(session.used for session in fitted.report.sessions)
    typer.echo(f"wrote {out}: {fitted.model_id}, {used} of {len(fitted.report.sessions)} training sessions used")


def model_show(
    name: Annotated[str, typer.Argument(help="A model file, or `default`.", metavar="MODEL")] = "default",
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole document, without frequencies.")] = False,
) -> None:
    """Print a model's weights: bits for each level of each comparison, priors, passes and training sessions."""
    from rich.console import Console
    from rich.table import Table

    from schemas.model import COMPARISONS

    model = read_model(name)
    if as_json:
        typer.echo(model.model_dump_json(exclude={"frequencies"}))
        return
    console = Console()
    console.print(f"{model.model_id}: {model.title}")
    table = Table("comparison", "level", "m", "u", "bits")
    for comparison in model.comparisons:
        for level, m, u in zip(COMPARISONS[comparison.name], comparison.m, comparison.u, strict=True):
            bits = f"{log2(m / u):+.1f}" if m > 0 and u > 0 else ""
            table.add_row(comparison.name, level, f"{m:.3g}", f"{u:.3g}", bits)
    console.print(table)
    for prior in model.priors:
        console.print(
            f"{prior.left_source} - {prior.right_source}: one pair in {2**-prior.log2_share:,.0f} is a match, "
            f"prior {prior.log2_prior:+.1f} bits ({prior.log2_prior_low:+.1f} to {prior.log2_prior_high:+.1f})"
        )
    for session in model.report.sessions if model.report else ():
        state = "used" if session.used else f"left out: {session.note}"
        console.print(f"pass {session.name}: {session.pairs:,} pairs, {session.expected_matches:,.0f} matches, {state}")
