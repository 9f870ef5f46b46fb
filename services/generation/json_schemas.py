"""JSON Schemas of every contract and document, exported for those who do not run Python."""

from __future__ import annotations

import json
from typing import Any, Final

from schemas.agreement import Agreement
from schemas.cohorts import CohortDefinition
from schemas.columns import columns
from schemas.contracts.base import Contract
from schemas.contracts.facts import Arrears, ClaimMembership, Demographics, Diagnosis, Encounter, FactEnvelope
from schemas.contracts.links import PairLink, Roster
from schemas.contracts.persons import MembershipChange, PersonEvent
from schemas.contracts.records import RECORDS, FileDeclaration, HealthRecord, WelfareRecord
from schemas.contracts.subject import Subject
from schemas.decision import Constraint
from schemas.disclosure import DisclosurePolicy
from schemas.events import EVENTS, AuditRecord, DeadLetter, FeatureRecord, schema_urn
from schemas.features import FeatureDefinition
from schemas.model import MatchModel
from schemas.purposes import Purpose

FOLDER: Final = "schemas/generated"

COLUMNAR: Final[dict[str, type[Contract]]] = {
    "health_record": HealthRecord,
    "welfare_record": WelfareRecord,
    "subject": Subject,
    "fact_envelope": FactEnvelope,
    "demographics": Demographics,
    "diagnosis": Diagnosis,
    "encounter": Encounter,
    "claim_membership": ClaimMembership,
    "arrears": Arrears,
    "roster": Roster,
    "pair_link": PairLink,
    "membership_change": MembershipChange,
}
"""Rows of Arrow streams and Parquet files: file name -> contract of one row. `x-column-type` is each column's type."""

DOCUMENTS: Final[dict[str, type[Contract]]] = {
    "file_declaration": FileDeclaration,
    "agreement": Agreement,
    "match_model": MatchModel,
    "review_constraint": Constraint,
    "cohort_definition": CohortDefinition,
    "disclosure_policy": DisclosurePolicy,
    "purpose": Purpose,
    "feature_definition": FeatureDefinition,
    "feature_record": FeatureRecord,
    "person_event": PersonEvent,
    "audit_record": AuditRecord,
    "dead_letter": DeadLetter,
}
"""JSON documents and events: file name -> contract."""

_URNS: Final = {contract: schema_urn(event_type) for event_type, contract in EVENTS.items()}


def json_schemas() -> dict[str, str]:
    """Return the text of every exported JSON Schema, by path relative to the checkout."""
    contracts = {**COLUMNAR, **DOCUMENTS}
    return {f"{FOLDER}/{name}.json": _text(_schema(name, contract)) for name, contract in sorted(contracts.items())}


def _schema(name: str, contract: type[Contract]) -> dict[str, Any]:
    schema = contract.model_json_schema()
    if name in COLUMNAR:
        types = columns(contract)
        for field, entry in schema["properties"].items():
            entry["x-column-type"] = str(types[field])
    if contract in _URNS or (name in COLUMNAR and contract not in RECORDS.values()):
        # Readers validate with the schema they have: a column or field added later must not break them.
        schema.pop("additionalProperties", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": _URNS.get(contract, f"urn:hwlink:{name.replace('_', '-')}:v1"),
        **schema,
    }


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
