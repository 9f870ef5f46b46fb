"""Files whose people have pseudonyms already: over the bridge to the agreement's domain, or not used."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from linkage.encode import ProjectKeys
from schemas.agreement import Agreement, PseudonymRecipe, PseudonymScheme, shipped_agreement
from schemas.errors import AgreementError, InputError, Reason
from services.cli import pseudonymise as commands
from services.pseudonymise import Job, Report, new_key_file, run
from services.pseudonymise.bridges import Pseudonyms
from services.pseudonymise.declare import declaration

HUB, OWN = "nhs.op1.test", "mhsds.person_id"
PLAIN = shipped_agreement("test")
AGREEMENT = PLAIN.model_copy(update={"pseudonym": PseudonymRecipe(domain=HUB)})
KEYS = ProjectKeys(bytes(range(32)), PLAIN.key_epoch)
IDS = [f"MH{number:08}" for number in range(8)]
DIGESTS = [f"{number + 1:064X}".replace("0", "A") for number in range(8)]


def written(path: Path, columns: dict[str, list[str]]) -> Path:
    pl.DataFrame(columns).write_csv(path)
    return path


@pytest.fixture
def contacts(tmp_path: Path) -> Path:
    """Eight people of whom nothing but their data set's own pseudonym is known."""
    return written(tmp_path / "contacts.csv", {"record_id": IDS, "pseudonym": IDS})


@pytest.fixture
def bridge(tmp_path: Path) -> Path:
    """Six lead to one hub pseudonym, the seventh to two, the eighth nowhere."""
    own = [*IDS[:7], IDS[6]]
    return written(tmp_path / "bridge.csv", {"pseudonym": own, "hub_pseudonym": [d.lower() for d in DIGESTS]})


def pseudonymise(
    source: Path, output: Path, pseudonyms: Pseudonyms | None, agreement: Agreement = AGREEMENT, workers: int = 1
) -> Report:
    declared = declaration(agreement, source="kmpt.mhsds", feed="health", extract_date=date(2026, 6, 30))
    job = Job(source, output, agreement, KEYS, declared, version=1, pseudonyms=pseudonyms)
    return run(job, workers=workers, rows_at_once=3)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_crosses_the_bridge_meets_the_hubs_own(tmp_path: Path, contacts: Path, bridge: Path, workers: int) -> None:
    practice = written(tmp_path / "gp.csv", {"record_id": IDS, "pseudonym": DIGESTS})
    report = pseudonymise(contacts, tmp_path / "mh.parquet", Pseudonyms(OWN, bridge, HUB), workers=workers)
    pseudonymise(practice, tmp_path / "gp.parquet", Pseudonyms(HUB))
    crossed, own = (pl.read_parquet(tmp_path / f"{name}.parquet")["token_pseudonym"] for name in ("mh", "gp"))

    assert crossed[:6].to_list() == own[:6].to_list()
    assert crossed.null_count() == 2
    assert own.n_unique() == 8
    assert report.rows_written == 8
    assert report.fault_counts == {
        ("pseudonym", "ambiguous", False): 1,
        ("pseudonym", "not_bridged", False): 1,
    }
    with (tmp_path / "mh.parquet.rejects.csv").open() as file:
        assert [(row["row"], row["reason"]) for row in csv.DictReader(file)] == [
            ("7", "ambiguous"),
            ("8", "not_bridged"),
        ]
    assert report.layout_counts["pseudonyms that it leads to several from: not used"] == 1


def test_pseudonyms_of_no_known_domain_are_left_out(tmp_path: Path) -> None:
    people = written(tmp_path / "gp.csv", {"record_id": IDS, "pseudonym": DIGESTS, "surname": ["Smith"] * 8})
    report = pseudonymise(people, tmp_path / "gp.parquet", None)

    assert report.columns_left_out == ("pseudonym",)
    assert pl.read_parquet(tmp_path / "gp.parquet")["token_pseudonym"].null_count() == 8


@pytest.mark.parametrize(
    ("pseudonyms", "agreement", "said"),
    [
        (Pseudonyms(OWN), AGREEMENT, "give --bridge"),
        (Pseudonyms(HUB, Path("bridge.csv")), AGREEMENT, "leave --bridge out"),
        (Pseudonyms(OWN, Path("bridge.csv"), "csds.person_id"), AGREEMENT, "--hub is another"),
        (Pseudonyms(HUB), PLAIN, "names no domain"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    tmp_path: Path, contacts: Path, pseudonyms: Pseudonyms, agreement: Agreement, said: str
) -> None:
    with pytest.raises(InputError, match=said) as raised:
        pseudonymise(contacts, tmp_path / "out.parquet", pseudonyms, agreement)
    assert raised.value.reason is Reason.OPTION_INVALID
    assert not (tmp_path / "out.parquet").exists()


def test_a_file_that_is_no_bridge_is_refused(tmp_path: Path, contacts: Path) -> None:
    """By its header, and by leading nowhere: a bridge between other domains."""
    wrong = written(tmp_path / "wrong.csv", {"pseudonym": IDS, "other": IDS})
    elsewhere = written(
        tmp_path / "elsewhere.csv", {"pseudonym": IDS, "hub_pseudonym": DIGESTS, "domain": ["csds.person_id"] * 8}
    )

    for path, reason in ((wrong, Reason.COLUMNS_WRONG), (elsewhere, Reason.FILE_EMPTY)):
        with pytest.raises(InputError) as raised:
            pseudonymise(contacts, tmp_path / "out.parquet", Pseudonyms(OWN, path))
        assert raised.value.reason is reason


@pytest.mark.parametrize("scheme", list(PseudonymScheme))
def test_numbers_meet_the_publishers_pseudonyms_of_them(tmp_path: Path, scheme: PseudonymScheme) -> None:
    """Whoever has the salt makes the pseudonyms of its own numbers; rows that have one already keep it."""
    agreement = PLAIN.model_copy(update={"pseudonym": PseudonymRecipe(domain=HUB, scheme=scheme)})
    number = "943 476 5919"
    published = {
        PseudonymScheme.OP1: "643574A0AEFDA8DAC01EEBE45F7E8CFE814B15BBC3F654AC934518A34A53D575",
        PseudonymScheme.NDRS1: "1d96aff9c43370fb681ce9c992bcd90d0b15a9cec1c0dc76697d2c866199e6bb",
    }[scheme]
    salt = tmp_path / "salt"
    salt.write_text("mackerel\n", "utf-8")
    practice = written(
        tmp_path / "gp.csv",
        {
            "record_id": ["1", "2", "3"],
            "nhs_number": [number, number, "9434765918"],
            "pseudonym": ["", "OTHERPERSON", ""],
        },
    )
    extract = written(tmp_path / "sus.csv", {"record_id": ["1", "2"], "pseudonym": [published, "OTHERPERSON"]})
    pseudonymise(practice, tmp_path / "gp.parquet", Pseudonyms(HUB, salt=salt), agreement)
    pseudonymise(practice, tmp_path / "made.parquet", Pseudonyms(salt=salt), agreement)
    pseudonymise(extract, tmp_path / "sus.parquet", Pseudonyms(HUB), agreement)
    own, made, theirs = (
        pl.read_parquet(tmp_path / f"{name}.parquet")["token_pseudonym"].to_list() for name in ("gp", "made", "sus")
    )

    assert own == [*theirs, None]
    assert made == [theirs[0], theirs[0], None]


def test_a_salt_needs_a_scheme_and_a_text(tmp_path: Path, contacts: Path) -> None:
    empty = tmp_path / "salt"
    empty.write_text("\n", "utf-8")
    with pytest.raises(InputError, match="how its pseudonyms are made"):
        pseudonymise(contacts, tmp_path / "out.parquet", Pseudonyms(HUB, salt=empty))
    agreement = PLAIN.model_copy(update={"pseudonym": PseudonymRecipe(domain=HUB, scheme=PseudonymScheme.OP1)})
    for salt in (empty, tmp_path / "nowhere"):
        with pytest.raises(AgreementError):
            pseudonymise(contacts, tmp_path / "out.parquet", Pseudonyms(HUB, salt=salt), agreement)


def test_the_command_takes_a_bridge(tmp_path: Path, contacts: Path, bridge: Path) -> None:
    agreement, key, output = tmp_path / "agreement.json", tmp_path / "key", tmp_path / "out.parquet"
    agreement.write_text(AGREEMENT.model_dump_json(), "utf-8")
    new_key_file(key)
    app = typer.Typer()
    commands.register(app)
    command = [
        "pseudonymise", "--agreement", str(agreement), "--key-file", str(key), "--source", "kmpt.mhsds",
        "--feed", "health", str(contacts), str(output),
    ]  # fmt: skip
    result = CliRunner().invoke(app, [*command, "--domain", OWN, "--bridge", str(bridge), "--hub", HUB])

    assert result.exit_code == 0, result.output
    assert pl.read_parquet(output)["token_pseudonym"].null_count() == 2
    halves = CliRunner().invoke(app, [*command, "--bridge", str(bridge)])
    assert isinstance(halves.exception, InputError)
