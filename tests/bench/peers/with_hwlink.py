"""hwlink on pseudonymised files, by its own command; at other thresholds afterwards, with the model fitted once.

`python -m tests.bench.peers.with_hwlink JOB.json` in the product's environment; the files of the job are encoded ones.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.bench.peers.job import DEFAULT, Job, Watch, answer, at, run

LINK_PROBABILITIES: Final = (0.05, 0.1, 0.2, 0.35, 0.65, 0.8, 0.9, 0.95)
"""Where the best threshold is looked for beside the model's own."""


def unique_option(unique: Sequence[bool]) -> str:
    """Return the word for `--unique`."""
    words = {(True, True): "both", (True, False): "left", (False, True): "right", (False, False): "none"}
    return words[unique[0], unique[1]] if len(unique) == 2 else words[unique[0], unique[0]].replace("both", "left")


def main(job: Job, _watch: Watch) -> None:
    """Run `hwlink link`, answer with what its summary says, and only then link at other thresholds."""
    from services.cli.app import build

    option = unique_option(job.unique)
    words = ["link", *job.files, "--unique", option, "--out", str(at(job.out, DEFAULT)), "--json"]
    build()(words, standalone_mode=False)
    summary = json.loads((at(job.out, DEFAULT) / "summary.json").read_text("utf-8"))

    from schemas.model import default_model
    from services.link import fit_files
    from services.link import run as link

    policy = default_model().policy
    swept = LINK_PROBABILITIES if job.sweep else ()
    told = {name: seconds for name, seconds in summary["seconds"].items() if name != "total"}
    answer(
        job,
        ("hwlink", "polars", "numpy"),
        seconds=summary["seconds"]["total"],
        stages=told,
        threshold=policy.link_probability,
        thresholds=swept,
    )
    if not job.sweep:
        return
    left, right = Path(job.files[0]), Path(job.files[1]) if len(job.files) == 2 else None
    model = fit_files(left, right, shipped=default_model(), unique=option)
    for probability in swept:
        changed = {
            "link_probability": probability,
            "review_probability": min(probability, model.policy.review_probability),
        }
        other = model.model_copy(update={"policy": model.policy.model_copy(update=changed)})
        link(left, right, at(job.out, probability), shipped=default_model(), model=other, unique=option)


if __name__ == "__main__":
    run(main)
