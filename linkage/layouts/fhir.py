"""FHIR UK Core Patient and Condition, one resource a line (NDJSON), as a controller's own server exports them.

Here, at the controller, a Patient may be clear: identifiers, names and the address become tokens, and telecom, photo,
contacts and narrative are left out and counted. What else the programme's table of elements says holds too: a birth
date leaves as its month (a date without a day is refused), a death as its month, and the NHS number's verification
status decides whether the number counts and goes no further, as no field of a record holds it. A Condition is an entry
of a register where its SNOMED CT code stands in the code list `snomed-conditions-1`, which the settings may replace.

The addresses of the NHS number, its status and the ethnic category were read or are those of UK Core; that of the
ethnic category is from general knowledge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from linkage.encode.lists import decode_json
from linkage.layouts.codes import meanings
from linkage.layouts.gathering import KEY, facts, gathered, usable
from linkage.layouts.mapped import Mapped
from linkage.layouts.tables import ROW
from schemas.code_lists import CodeMap
from schemas.codes import DiagnosisStatus, Sex

NHS_NUMBER: Final = "https://fhir.nhs.uk/Id/nhs-number"
ODS: Final = "https://fhir.nhs.uk/Id/ods-organization-code"
_UK_CORE: Final = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-"
VERIFICATION: Final = f"{_UK_CORE}NHSNumberVerificationStatus"
ETHNIC: Final = f"{_UK_CORE}EthnicCategory"
SNOMED: Final = "http://snomed.info/sct"
CONDITIONS: Final = "snomed-conditions-1"

GENDERS: Final = {
    "male": Sex.MALE.value,
    "female": Sex.FEMALE.value,
    "other": Sex.INDETERMINATE.value,
    "unknown": Sex.NOT_KNOWN.value,
}
RESOLVED: Final = ("resolved", "inactive", "remission")
"""Clinical statuses of a Condition that is over; any other, or none, is active."""
DISCARDED: Final = ("refuted", "entered-in-error")
"""Verification statuses of a Condition that nobody has."""
WITHHELD: Final = ("telecom", "photo", "contact", "text")
"""Elements of Patient that must not leave."""

_CODING: Final = pl.List(pl.Struct({"system": pl.String, "code": pl.String}))
_CONCEPT: Final = pl.Struct({"coding": _CODING})
_EXTENSION: Final = pl.List(
    pl.Struct({"url": pl.String, "valueCodeableConcept": _CONCEPT, "valueString": pl.String, "valueCode": pl.String})
)
_IDENTIFIER: Final = pl.Struct({"system": pl.String, "value": pl.String, "extension": _EXTENSION})
_PATIENT: Final = pl.Struct(
    {
        "id": pl.String,
        "identifier": pl.List(_IDENTIFIER),
        "name": pl.List(pl.Struct({"use": pl.String, "family": pl.String, "given": pl.List(pl.String)})),
        "gender": pl.String,
        "birthDate": pl.String,
        "deceasedDateTime": pl.String,
        "address": pl.List(
            pl.Struct(
                {"use": pl.String, "line": pl.List(pl.String), "city": pl.String, "postalCode": pl.String,
                 "extension": _EXTENSION}
            )
        ),
        "extension": _EXTENSION,
        "generalPractitioner": pl.List(pl.Struct({"identifier": _IDENTIFIER})),
    }
)  # fmt: skip
_CONDITION: Final = pl.Struct(
    {
        "subject": pl.Struct({"reference": pl.String}),
        "code": _CONCEPT,
        "clinicalStatus": _CONCEPT,
        "verificationStatus": _CONCEPT,
        "onsetDateTime": pl.String,
        "recordedDate": pl.String,
        "abatementDateTime": pl.String,
    }
)


@dataclass(frozen=True)
class Choices:
    """What a source's resources leave open: the system of the identifiers that are pseudonyms of its domain, such as
    `urn:kmpt:pseudonym:mhsds.person_id:1`, and the extension of an address that holds its LSOA. Without, neither is
    read.
    """

    codes: CodeMap
    pseudonym_system: str | None = None
    lsoa_extension: str | None = None


def clear_rows(lines: pl.DataFrame, choices: Choices) -> tuple[Mapped, tuple[int, ...]]:
    """Return one clear row a Patient, and the numbers of lines that are no resource, from `ROW` and `json` (String)."""
    typed = lines.with_columns(kind=pl.col("json").str.json_path_match("$.resourceType"))
    patients, bad_patients = _decoded(typed.filter(pl.col("kind") == "Patient"), _PATIENT)
    conditions, bad_conditions = _decoded(typed.filter(pl.col("kind") == "Condition"), _CONDITION)
    others = typed.filter(~pl.col("kind").is_in(["Patient", "Condition"]))
    unreadable = typed.filter(pl.col("kind").is_null())[ROW].to_list()
    diagnoses, counts = _diagnoses(conditions, choices.codes)
    counts = {"patients": patients.height, "other resources: left out": others.height, **counts}
    people = _people(patients, choices)
    mapped = gathered(people, {"diagnoses": [diagnoses]}, counts)
    left_out = {f"Patient.{name}": _having(typed, name) for name in WITHHELD}
    found = Mapped(mapped.frame, mapped.rows, mapped.counts, {name: n for name, n in left_out.items() if n})
    return found, tuple(sorted([*unreadable, *bad_patients, *bad_conditions]))


def _decoded(lines: pl.DataFrame, dtype: pl.Struct) -> tuple[pl.DataFrame, list[int]]:
    values, unreadable = decode_json(lines["json"], dtype)
    numbered = pl.DataFrame([lines[ROW], values.alias("resource")])
    return numbered.filter(~unreadable).unnest("resource"), lines[ROW].filter(unreadable).to_list()


def _having(lines: pl.DataFrame, element: str) -> int:
    there = pl.col("json").str.json_path_match(f"$.{element}").is_not_null()
    return int(lines.filter((pl.col("kind") == "Patient") & there).height)


def _people(patients: pl.DataFrame, choices: Choices) -> pl.DataFrame:
    """Return `record_id` (the Patient's id), `ROW` and clear identity columns."""
    element = pl.element()
    nhs = pl.col("identifier").list.filter(element.struct.field("system") == NHS_NUMBER).list.first()
    status = _coded(nhs.struct.field("extension"), VERIFICATION)
    name, home = _preferred("name", "official"), _preferred("address", "home")
    given = name.struct.field("given")
    practice = (
        pl.col("generalPractitioner")
        .list.eval(element.struct.field("identifier"))
        .list.filter(element.struct.field("system") == ODS)
        .list.first()
        .struct.field("value")
    )
    lines = pl.concat_list(home.struct.field("line"), pl.concat_list(home.struct.field("city")))
    return patients.with_columns(status=status, number=nhs.struct.field("value")).select(
        pl.col("id").alias(KEY),
        ROW,
        nhs_number=usable(pl.col("number"), pl.col("status")),
        pseudonym=_value_of(choices.pseudonym_system),
        forename=given.list.first(),
        middle_names=given.list.slice(1).list.join(" ").replace("", None),
        surname=name.struct.field("family"),
        date_of_birth=pl.col("birthDate"),
        sex=pl.col("gender").replace(GENDERS),
        ethnic_category=_coded(pl.col("extension"), ETHNIC),
        postcode=home.struct.field("postalCode"),
        address=lines.list.drop_nulls().list.join(", ").replace("", None),
        lsoa=_text_of(home.struct.field("extension"), choices.lsoa_extension),
        practice_code=practice,
        # Of a death the month is all that leaves: a date without a day has it.
        date_of_death=pl.col("deceasedDateTime").str.replace(r"^(\d{4}-\d{2})$", "${1}-01"),
    )


def _preferred(column: str, use: str) -> pl.Expr:
    """Return the first element of a list of that use, else the first of all."""
    fitting = pl.col(column).list.filter(pl.element().struct.field("use") == use).list.first()
    return pl.coalesce(fitting, pl.col(column).list.first())


def _value_of(system: str | None) -> pl.Expr:
    if system is None:
        return pl.lit(None, dtype=pl.String)
    mine = pl.col("identifier").list.filter(pl.element().struct.field("system") == system)
    return mine.list.first().struct.field("value")


def _extension(extensions: pl.Expr, url: str) -> pl.Expr:
    return extensions.list.filter(pl.element().struct.field("url") == url).list.first()


def _coded(extensions: pl.Expr, url: str) -> pl.Expr:
    coding = _extension(extensions, url).struct.field("valueCodeableConcept").struct.field("coding")
    return coding.list.first().struct.field("code")


def _text_of(extensions: pl.Expr, url: str | None) -> pl.Expr:
    if url is None:
        return pl.lit(None, dtype=pl.String)
    found = _extension(extensions, url)
    return pl.coalesce(found.struct.field("valueString"), found.struct.field("valueCode"))


def _diagnoses(conditions: pl.DataFrame, codes: CodeMap) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return entries of registers (`record_id` and the members of a diagnosis), and what was left out."""

    def status(column: str) -> pl.Expr:
        return pl.col(column).struct.field("coding").list.first().struct.field("code")

    snomed = pl.col("code").struct.field("coding").list.filter(pl.element().struct.field("system") == SNOMED)
    stated = conditions.select(
        person=pl.col("subject").struct.field("reference").str.extract(r"(?:^|/)Patient/([^/]+)$"),
        code=snomed.list.first().struct.field("code"),
        over=status("clinicalStatus").is_in(RESOLVED).fill_null(False),
        discarded=status("verificationStatus").is_in(DISCARDED).fill_null(False),
        since=pl.coalesce("onsetDateTime", "recordedDate"),
        recorded="recordedDate",
        until="abatementDateTime",
    )
    kept = stated.filter(~pl.col("discarded"))
    known = kept.join(meanings(codes), on="code", how="inner", maintain_order="left")
    begun = known.filter(~pl.col("over") | pl.col("until").is_not_null())
    ended = known.filter("over")
    entries = [
        facts(rows, "person", condition=pl.col("means"), status=pl.lit(state.value), recorded_on=on.str.slice(0, 10))
        for rows, state, on in (
            (begun, DiagnosisStatus.ACTIVE, pl.coalesce("since", "recorded")),
            (ended, DiagnosisStatus.RESOLVED, pl.coalesce("until", "recorded", "since")),
        )
    ]
    return pl.concat(entries), {
        "conditions": stated.height,
        "conditions refuted or entered in error: left out": stated.height - kept.height,
        "conditions of codes that are on no list: left out": kept.height - known.height,
    }
