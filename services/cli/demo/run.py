"""The demo's course: files, services, streams, persons, quality, questions."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl

from linkage.encode import ProjectKeys, secret_from_key_file
from linkage.synthesise.feeds import HEALTH_SOURCES, WELFARE_SOURCES
from linkage.synthesise.feeds.published import VINTAGES
from schemas.agreement import shipped_agreement
from schemas.errors import InputError, PolicyError, Reason, TransientError
from services.admin.reconcile import reconcile
from services.admin.status import drained, status
from services.bootstrap import open_bus, open_registry, open_zone
from services.cli.demo.commands import Commands, Server, free_address
from services.cli.demo.quality import measure
from services.query.client import CohortClient
from services.settings import Settings, read_settings

LEARNT_FROM: Final = ("kmicb.gp", "dwp.uc")
"""The two sources that the model is fitted on: who is registered, and the welfare source of both councils' people."""
AS_OF: Final = "2026-06-30"  # the reference date of the synthetic people
QUESTIONS: Final = (
    ("multimorbid_deprived", "life_stage"),
    ("acsc_cvd_copd_hf_welfare", "authority"),
    ("workwell", "sex_code"),
)
"""Cohort and dimension of the three tables; the cohorts come from the programme's board papers."""

MARKER: Final = ".hwlink-demo"
"""An empty file that says that everything beside it is a demo's, to be thrown away by the next one."""

_DRAIN_TIMEOUT_S: Final = 900.0
_POLL_S: Final = 0.2


def make_way(out: Path) -> None:
    """Empty the folder of an earlier demo, or make it; InputError OPTION_INVALID for a folder that holds other
    things.
    """
    if out.exists() and any(out.iterdir()):
        if not (out / MARKER).exists():
            raise InputError(
                Reason.OPTION_INVALID,
                "The folder holds something that no demo made, and the demo empties its folder; name another.",
            )
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / MARKER).touch()


def run(
    out: Path, *, people: int, claims: int, seed: int, quiet: bool, environ: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Run the whole line under `out`, print the narrative unless `quiet`, and return what was measured.

    `environ` has the settings of a bus and a registry that are no files under `out`.
    """
    make_way(out)
    environ = {
        **(environ or {}),
        "HWLINK_DATA_DIR": str(out / "data"),
        "HWLINK_INGEST_ADDRESS": free_address(),
        "HWLINK_QUERY_ADDRESS": free_address(),
        "HWLINK_REVIEW_ADDRESS": free_address(),
        "HWLINK_ACCEPT_TEST_AGREEMENT": "true",
        "HWLINK_AS_OF": AS_OF,
        "HWLINK_MODEL_PATH": str(out / "model.json"),
        "HWLINK_REFERENCE_PATH": str(out / "reference"),
    }
    commands = Commands(environ, quiet)
    stages = _files(commands, out, people, claims, seed)
    settings = read_settings(environ)
    commands.say("\n$ hwlink serve all &")
    server = Server(
        environ, out / "services.log", (settings.ingest_address, settings.query_address, settings.review_address)
    )
    try:
        stages |= _stream(commands, settings, out)
        quality, books = _people(settings, out)
        _tell(commands, stages, quality, server)
        cohorts = _cohorts(commands, settings.query_address)
        for cohort, dimension in QUESTIONS:
            commands.run(
                "query",
                "table",
                "--to",
                settings.query_address,
                "--cohort",
                cohort,
                "--by",
                dimension,
                show_output=True,
            )
    finally:
        server.stop()
    commands.say(
        f"\nEverything is under {out}: people/ (clear and synthetic), reference/, pseudonymised/, model.json, "
        f"data/ ({', '.join(_kept(settings))}), services.log, demo.json."
    )
    return {
        "people": people,
        "claims": claims,
        "seed": seed,
        "stages": stages,
        "quality": quality,
        "reconciled": books,
        "cohorts": cohorts,
        "services_peak_mib": round(server.peak_bytes / 2**20),
        "services_peak_mib_by_role": {r: round(b / 2**20) for r, b in sorted(server.peak_bytes_by_role.items())},
    }


def _files(commands: Commands, out: Path, people: int, claims: int, seed: int) -> dict[str, dict[str, float]]:
    """Make the files that the services need: people, reference data, key, pseudonymised feeds, model."""
    commands.say("1. People, places, and what the controllers do at home")
    sizes = ("--people", str(people), "--claims", str(claims), "--seed", str(seed))
    made = commands.run("synthesise", out / "people", "--feeds", *sizes)
    for kind, vintage in VINTAGES.items():
        file = out / "people" / "feeds" / "reference" / f"{kind}.csv"
        commands.run("reference", "import", kind, file, "--store", out / "reference", "--vintage", vintage)
    commands.run("keys", "new", out / "project.key")
    common = ("pseudonymise", "--agreement", "test", "--key-file", out / "project.key")
    (out / "pseudonymised").mkdir()
    coded = commands.run_beside(
        *(
            (*common, "--source", source, "--feed", feed, out / "people" / "feeds" / f"{source}.parquet", file)
            for source, feed, file in _sources(out)
        )
    )
    commands.say("\n2. The linkage side, which sees neither names nor keys")
    left, right = (out / "pseudonymised" / f"{source}.parquet" for source in LEARNT_FROM)
    fitted = commands.run("model", "fit", left, right, "--unique", "left", "--out", out / "model.json")
    rows = _all_rows(out)
    return {
        "synthesise": _stage(rows, made),
        "pseudonymise": _stage(rows, coded),
        "model fit": _stage(_rows(left) + _rows(right), fitted),
    }


def _stream(commands: Commands, settings: Settings, out: Path) -> dict[str, dict[str, float]]:
    """Send every source and wait until every role has drained; a stage's time runs from the first record sent."""
    rows = _all_rows(out)
    watch = _Watch(settings)
    commands.run_beside(
        *(("send", "--feed", feed, "--to", settings.ingest_address, file) for _, feed, file in _sources(out))
    )
    ingested = time.perf_counter() - watch.started
    seconds = watch.until_drained()
    facts = _facts(settings)
    return {
        "ingest": _stage(rows, ingested),
        "match": _stage(rows, seconds["matcher"]),
        "resolve": _stage(rows, seconds["resolver"]),
        "land facts": _stage(facts, seconds["landing-content"]),
        "features": _stage(rows, seconds["features"]),
    }


def _sources(out: Path) -> list[tuple[str, str, Path]]:
    """Return each source, its feed, and its pseudonymised file."""
    feeds = {**dict.fromkeys(HEALTH_SOURCES, "health"), **dict.fromkeys(WELFARE_SOURCES, "welfare")}
    return [(source, feed, out / "pseudonymised" / f"{source}.parquet") for source, feed in feeds.items()]


def _all_rows(out: Path) -> int:
    return sum(_rows(file) for _, _, file in _sources(out))


class _Watch:
    """Notes when each role was last seen with something to do, in seconds since the watch began."""

    def __init__(self, settings: Settings) -> None:
        self._bus, self._registry = open_bus(settings), open_registry(settings)
        self._content = open_zone(settings, "content")
        # A role that was never seen with anything to do was done by the first look.
        self._last = dict.fromkeys(("matcher", "resolver", "landing-content", "features"), _POLL_S)
        self._drained = threading.Event()
        self._sent = threading.Event()
        self.started = time.perf_counter()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def until_drained(self) -> dict[str, float]:
        """Wait until nothing is under way any more and return each role's seconds; TransientError after 15 minutes."""
        self._sent.set()
        if not self._drained.wait(_DRAIN_TIMEOUT_S):
            raise TransientError(
                Reason.DEADLINE, "The services did not drain in time; services.log says what they did."
            )
        return {
            role: self._last.get(role, 0.0)
            for role in (*self._last, "matcher", "resolver", "landing-content", "features")
        }

    def _look(self) -> None:
        while not self._drained.is_set():
            finishing = self._sent.is_set()  # read before the status, so that what was sent since is still seen
            roles = status(self._bus, self._registry, self._content)
            now = time.perf_counter() - self.started
            for role in roles:
                if role.lag_messages:
                    self._last[role.role] = now
            if finishing and drained(roles):
                self._drained.set()
            time.sleep(_POLL_S)


def _people(settings: Settings, out: Path) -> tuple[list[dict[str, Any]], bool]:
    """Return the quality of the persons found, and whether the books balance."""
    registry = open_registry(settings)
    keys = ProjectKeys(
        secret_from_key_file((out / "project.key").read_text(encoding="utf-8")), shipped_agreement("test").key_epoch
    )
    quality = measure(out / "people" / "feeds", registry.resolver.persons(), keys)
    books = reconcile(registry.ingest, open_zone(settings, "linkage"), open_zone(settings, "content"))
    return [group.as_row() for group in quality], all(row.agrees for row in books)


def _tell(
    commands: Commands, stages: dict[str, dict[str, float]], quality: list[dict[str, Any]], server: Server
) -> None:
    commands.say("\n3. How fast (stages from `ingest` on overlap; their time runs from the first record sent)")
    for name, stage in stages.items():
        commands.say(
            f"   {name:<14} {stage['records']:>10,.0f} records {stage['seconds']:>8.1f} s "
            f"{stage['records_per_s']:>10,.0f} a second"
        )
    commands.say(f"   all services together held {server.peak_bytes / 2**20:,.0f} MiB at most")
    commands.say("\n4. How well (against the truth, which the services never saw)")
    for row in quality:
        commands.say(
            f"   {row['group']:<20} precision {row['precision']:.4f}  recall {row['recall']:.4f}  F1 {row['f1']:.4f}  "
            f"of {row['true_links']:,} true links"
        )
    commands.say("\n5. What an analyst may see: suppressed, rounded, with the linkage rate beside it")


def _cohorts(commands: Commands, address: str) -> dict[str, dict[str, Any]]:
    """Count every cohort that ships; return its count and denominator (None where withheld), or why it has none."""
    told: dict[str, dict[str, Any]] = {}
    with CohortClient(address) as client:
        for cohort in client.cohorts():
            try:
                answer = client.count(cohort=cohort.cohort_id)
            except PolicyError as error:
                told[cohort.cohort_id] = {"refused": error.reason.value}
                commands.say(f"   {cohort.cohort_id:<34} refused, {error.reason.value}")
            else:
                told[cohort.cohort_id] = {"count": answer.count, "denominator": answer.denominator}
                people, of = ("*" if n is None else f"{n:,}" for n in (answer.count, answer.denominator))
                commands.say(f"   {cohort.cohort_id:<34} {people:>8} of {of:>8}")
    return told


def _kept(settings: Settings) -> list[str]:
    """Return what stands in the data folder."""
    urls = {"bus": settings.bus_url, "registry": settings.registry_url, "lake": settings.lake_url}
    return [name for name, url in urls.items() if url.startswith(("sqlite:", "file:"))]


def _facts(settings: Settings) -> int:
    zone = open_zone(settings, "content")
    scans = [zone.scan(table) for table in zone.tables()]
    return sum(int(scan.select(pl.len()).collect().item()) for scan in scans if scan is not None)


def _rows(path: Path) -> int:
    return int(pl.scan_parquet(path).select(pl.len()).collect().item())


def _stage(records: int, seconds: float) -> dict[str, float]:
    return {"records": records, "seconds": round(seconds, 3), "records_per_s": round(records / max(seconds, 1e-9))}
