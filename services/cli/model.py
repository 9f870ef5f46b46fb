"""`hwlink model fit|show|list`: make a match model from what is held or from files, and look into one."""

from __future__ import annotations

import json
from contextlib import closing
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from schemas.model import MatchModel


def register(app: typer.Typer) -> None:
    """Add the commands of the group `model`."""
    from services.cli.adopt import model_abandon, model_adopt

    group = typer.Typer(help="Fit match models, look into them, put one in force.", no_args_is_help=True)
    group.command("fit")(model_fit)
    group.command("show")(model_show)
    group.command("list")(model_list)
    group.command("adopt")(model_adopt)
    group.command("abandon")(model_abandon)
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


def find_model(name: str) -> MatchModel:
    """Return a model of this deployment by id, the one in force for `active`, or what `read_model` finds.

    Raises InputError NOT_FOUND for a name that is neither a file nor a stored model.
    """
    from schemas.errors import InputError, Reason
    from schemas.model import parse_model
    from services.bootstrap import open_registry, open_zone
    from services.cli.operate import deployment
    from services.models.store import ModelStore

    if name == "default" or Path(name).suffix == ".json" or Path(name).exists():
        return read_model(name)
    settings = deployment()
    if name != "active":
        found = ModelStore(open_zone(settings, "linkage")).load(name)
        if found is None:
            raise InputError(
                Reason.NOT_FOUND, "There is no model file and no stored model of that name; see `hwlink model list`."
            )
        return found
    with closing(open_registry(settings)) as registry:
        active = registry.matcher.active_model()
    if active is None:
        raise InputError(Reason.NOT_FOUND, "No model is in force yet; the matcher adopts one when it first starts.")
    return parse_model(active[1])


def model_fit(
    left: Annotated[
        Path | None, typer.Argument(help="A pseudonymised file; none: what the deployment holds.", metavar="[LEFT]")
    ] = None,
    right: Annotated[Path | None, typer.Argument(help="Another to link it with.", metavar="[RIGHT]")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="MODEL.json", help="Where to write it. Default for files: model.json."),
    ] = None,
    unique: Annotated[
        str | None,
        typer.Option("--unique", metavar="both|left|right|none", help="Which files hold one record per person."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of what fitting draws at random.", min=0)] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Fit a model without labels, to files or to all that the deployment holds, which stores it under its id.

    A model holds token prefixes: keep it in the linkage zone. `hwlink model adopt ID` puts a stored one in force.
    """
    from schemas.errors import InputError, Reason
    from schemas.model import default_model
    from services.link import fit_files

    lake_version = None
    if left is not None:
        fitted = fit_files(left, right, shipped=default_model(), unique=unique, seed=seed)
        out = out or Path("model.json")
    elif unique is None:
        fitted, lake_version = _fit_held(seed)
    else:
        raise InputError(
            Reason.OPTION_INVALID, "--unique is for files: sources of a deployment declare it themselves; leave it out."
        )
    if out is not None:
        try:
            out.write_text(fitted.model_dump_json(indent=1) + "\n", "utf-8")
        except OSError as error:
            raise InputError(
                Reason.OPTION_INVALID, f"{out.name} cannot be written ({error.strerror}); name another place."
            ) from None
    assert fitted.report is not None  # noqa: S101 - a fit always reports
    if as_json:
        report = {"model_id": fitted.model_id, "path": None if out is None else str(out), "lake_version": lake_version}
        typer.echo(json.dumps({**report, "fit": fitted.report.model_dump(mode="json")}))
        return
    used = sum(session.used for session in fitted.report.sessions)
    done = "stored" if out is None else f"wrote {out}:"
    typer.echo(f"{done} {fitted.model_id}, {used} of {len(fitted.report.sessions)} training sessions used")


def _fit_held(seed: int) -> tuple[MatchModel, int]:
    from schemas.model import default_model
    from services.bootstrap import open_zone
    from services.cli.operate import deployment
    from services.models.held import fit_held
    from services.models.store import ModelStore

    zone = open_zone(deployment(), "linkage")
    fitted, lake_version = fit_held(zone, default_model(), seed)
    ModelStore(zone).save(fitted, lake_version)
    return fitted, lake_version


def model_list(as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False) -> None:
    """List the models that the deployment stores, and say which one is in force."""
    from services.bootstrap import open_registry, open_zone
    from services.cli.operate import deployment
    from services.models.store import ModelStore, StoredModel

    settings = deployment()
    stored = {model.model_id: model for model in ModelStore(open_zone(settings, "linkage")).stored()}
    with closing(open_registry(settings)) as registry:
        active = registry.matcher.active_model()
    if active is not None and active[0] not in stored:
        stored[active[0]] = StoredModel(active[0], json.loads(active[1])["title"], None)
    rows = [{**vars(model), "active": active is not None and name == active[0]} for name, model in stored.items()]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    for row in rows:
        typer.echo(f"{row['model_id']:<24} {'in force  ' if row['active'] else '          '}{row['title']}")
    if not rows:
        typer.echo("no models yet; `hwlink model fit` makes one of what is held")


def model_show(
    name: Annotated[
        str, typer.Argument(help="A stored model's id, `active`, `default` or a file.", metavar="MODEL")
    ] = "default",
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole document, without frequencies.")] = False,
) -> None:
    """Print a model's weights: bits for each level of each comparison, priors, passes and training sessions."""
    from rich.console import Console
    from rich.table import Table

    from schemas.model import COMPARISONS

    model = find_model(name)
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
