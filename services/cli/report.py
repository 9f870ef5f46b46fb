"""`hwlink report`: one HTML page on how files were linked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command `report`."""
    app.command("report")(report)


def report(
    out: Annotated[Path, typer.Argument(help="HTML file to write.", metavar="OUT.html")],
    linked: Annotated[Path, typer.Option("--linked", help="Folder of a finished `hwlink link`.", metavar="DIR")],
    as_json: Annotated[bool, typer.Option("--json", help="Report as JSON.")] = False,
) -> None:
    """Write a page on a finished run: counts, quality, pairs explained, the model. It loads nothing from elsewhere."""
    import json

    from schemas.disclosure import shipped_policy
    from schemas.errors import InputError, Reason
    from services.link.evidence import read_run
    from services.report import FinishedRun, page_of_run

    run = read_run(linked)
    page = page_of_run(FinishedRun(run.summary, run.model, run.evidence), shipped_policy())
    try:
        out.write_text(page, "utf-8")
    except OSError as error:
        raise InputError(
            Reason.OPTION_INVALID, f"{out.name} cannot be written ({error.strerror}); name another place."
        ) from None
    size = len(page.encode())
    written = {"path": str(out), "bytes": size, "model_id": run.model.model_id}
    typer.echo(json.dumps(written) if as_json else f"wrote {out} ({size // 1024:,} KiB)")
