"""What is exported for others: JSON Schemas of every contract, the AsyncAPI document, and the documents that ship."""

from __future__ import annotations

import importlib
import json
import pkgutil
import tomllib
from collections.abc import Callable
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError as SchemaError
from pydantic import ValidationError

import schemas
from schemas.agreement import SHIPPED, shipped_agreement
from schemas.cohort_documents import shipped_cohorts
from schemas.cohorts import CohortDefinition, parse_cohort
from schemas.contracts.base import Contract
from schemas.contracts.persons import PersonEvent, PersonEventKind
from schemas.contracts.records import RECORDS
from schemas.disclosure import CountRule, DisclosurePolicy, parse_policy, raised, shipped_policy
from schemas.errors import InputError, PolicyError, Reason
from schemas.events import EVENTS, AuditRecord, EventType, FeatureRecord, cloud_event_headers, schema_urn
from schemas.features import Sensitivity
from schemas.model import default_model
from schemas.purposes import Output, Purpose, purpose, shipped_purposes
from schemas.topics import INTERNAL, Topic
from services.generate import FOLDERS, ROOT
from services.generation.artefacts import drift
from services.generation.asyncapi import ARROW, MESSAGES, PATH, asyncapi, topics
from services.generation.json_schemas import COLUMNAR, DOCUMENTS, FOLDER, json_schemas
from services.registry import AuditEvent

CANARY = "canary-4857773456"


def exported(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / FOLDER / f"{name}.json").read_text("utf-8"))
    return found


def modules() -> list[str]:
    return [info.name for info in pkgutil.walk_packages(schemas.__path__, "schemas.")]


# --- JSON Schemas


def test_exported_schemas_have_not_drifted() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    wanted = {**json_schemas(), **asyncapi(version)}
    assert drift(ROOT, wanted, [folder for folder in FOLDERS if folder == FOLDER]) == [], "run `make generate`"


@pytest.mark.parametrize("name", sorted({**COLUMNAR, **DOCUMENTS}))
def test_every_exported_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(exported(name))


def test_every_contract_is_exported() -> None:
    """A contract is a file of its own, or part of one."""
    for module in modules():
        importlib.import_module(module)

    def below(contract: type[Contract]) -> set[type[Contract]]:
        return {contract, *(found for sub in contract.__subclasses__() for found in below(sub))}

    parts = {
        title
        for name in {**COLUMNAR, **DOCUMENTS}
        for title in ({exported(name)["title"], *exported(name).get("$defs", {})})
    }
    ours = {
        contract.__name__
        for contract in below(Contract) - {Contract}
        if contract.__module__.startswith("schemas.") and not contract.__name__.startswith("_")
    }
    bases = {"LinkageVariables"}  # stands flat in Subject and in the records
    assert ours - bases - parts == set()


def test_exported_schemas_have_ids_of_their_own() -> None:
    ids = [exported(name)["$id"] for name in {**COLUMNAR, **DOCUMENTS}]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", sorted(COLUMNAR))
def test_every_column_says_its_type(name: str) -> None:
    assert all("x-column-type" in entry for entry in exported(name)["properties"].values())


def test_doors_are_closed_and_readers_are_open() -> None:
    """What comes in may hold nothing unknown; who reads what goes out must bear fields that are added later."""
    closed = {name for name in {**COLUMNAR, **DOCUMENTS} if exported(name).get("additionalProperties") is False}
    assert {"health_record", "welfare_record", "agreement", "cohort_definition", "disclosure_policy"} <= closed
    assert not closed & {"feature_record", "person_event", "subject", "diagnosis"}


SHIPPED_DOCUMENTS: dict[str, Callable[[], list[Contract]]] = {
    "agreement": lambda: [shipped_agreement(name) for name in SHIPPED],
    "match_model": lambda: [default_model()],
    "disclosure_policy": lambda: [shipped_policy()],
    "purpose": lambda: [*shipped_purposes().values()],
    "cohort_definition": lambda: [*shipped_cohorts().values()],
}


@pytest.mark.parametrize("name", SHIPPED_DOCUMENTS)
def test_shipped_documents_fit_their_exported_schema(name: str) -> None:
    documents = SHIPPED_DOCUMENTS[name]()
    assert documents
    for document in documents:
        Draft202012Validator(exported(name)).validate(json.loads(document.model_dump_json()))


# --- contracts keep values to themselves


def test_no_contract_repeats_a_value_in_its_error() -> None:
    with pytest.raises(ValidationError) as refused:
        RECORDS["health"].model_validate({"subject_ref": CANARY, "version": CANARY, "lsoa": CANARY, "nino": CANARY})
    assert CANARY not in str(refused.value)


def test_contracts_are_frozen_and_refuse_what_they_do_not_know() -> None:
    with pytest.raises(ValidationError):
        PersonEvent.model_validate({"kind": "retire", "person_id": "a", "sequence": 1, "surname": CANARY})
    event = PersonEvent(kind=PersonEventKind.RETIRE, person_id="a", sequence=1)
    with pytest.raises(ValidationError):
        event.sequence = 2  # type: ignore[misc]


# --- AsyncAPI


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / PATH).read_text("utf-8"))
    return found


def every_topic() -> list[Topic]:
    return [channel for topic in topics() for channel in (topic, topic.dead)]


def test_asyncapi_covers_each_topic_and_no_other(document: dict[str, Any]) -> None:
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert addresses == {topic.name for topic in every_topic()}
    assert set(MESSAGES) == {topic.name for topic in topics()}
    assert {topic.name for topic in INTERNAL} < addresses


@pytest.mark.parametrize("topic", every_topic(), ids=lambda topic: topic.name)
def test_a_channel_says_what_the_topic_table_says(document: dict[str, Any], topic: Topic) -> None:
    (channel,) = (found for found in document["channels"].values() if found["address"] == topic.name)
    kafka = channel["bindings"]["kafka"]
    assert kafka["partitions"] == topic.partitions
    assert kafka["topicConfiguration"]["cleanup.policy"] == ["compact" if topic.compacted else "delete"]
    assert kafka["topicConfiguration"]["retention.ms"] == (-1 if topic.retention_ms is None else topic.retention_ms)
    assert topic.key in channel["description"]
    assert channel["messages"]


def test_every_reader_of_a_topic_receives(document: dict[str, Any]) -> None:
    told = {
        (operation["channel"]["$ref"].rpartition("/")[2], operation["title"].removesuffix(" reads"))
        for operation in document["operations"].values()
    }
    wanted = {
        (topic.name.replace("{consumer}", "consumer"), reader) for topic in every_topic() for reader in topic.readers
    }
    assert told == wanted


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in _references(value)]
    return [found for value in node for found in _references(value)] if isinstance(node, list) else []


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = _references(document)
    assert len(references) > 20
    for reference in references:
        if reference.startswith("./"):
            assert (ROOT / FOLDER / reference).is_file(), reference
            continue
        node: Any = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def test_messages_say_how_they_are_written(document: dict[str, Any]) -> None:
    for name, message in document["components"]["messages"].items():
        arrow = message["contentType"] == ARROW
        (payload, *more) = _references(message["payload"])
        kinds = {Path(found).stem for found in (payload, *more)}
        assert kinds <= (set(COLUMNAR) if arrow else set(DOCUMENTS)), name


# --- events


def record(**changes: Any) -> FeatureRecord:
    return FeatureRecord.model_validate(
        {
            "person_id": "0" * 32,
            "revision": 1,
            "as_of": date(2025, 1, 1),
            "snapshot_id": "s-1",
            "purpose": "segmentation",
            "features": {"reg_copd": True, "arrears_count": 0, "hb_in_payment": False, "tenure": None, "score": 0.5},
            **changes,
        }
    )


def test_a_feature_keeps_its_three_states_through_json() -> None:
    """A value, a true negative and the unknown stay apart: nothing becomes 0, "" or false on the way."""
    there = record()
    back = FeatureRecord.model_validate_json(there.model_dump_json())
    assert back == there
    assert back.features["hb_in_payment"] is False
    assert back.features["arrears_count"] == 0
    assert back.features["arrears_count"] is not False
    assert back.features["tenure"] is None
    assert "tenure" in json.loads(there.model_dump_json())["features"]


def test_a_feature_record_fits_its_schema_today_and_tomorrow() -> None:
    validator = Draft202012Validator(exported("feature_record"))
    today = json.loads(record().model_dump_json())
    validator.validate(today)
    validator.validate({**today, "added_later": 1})
    with pytest.raises(SchemaError):
        validator.validate({key: value for key, value in today.items() if key != "revision"})


@pytest.mark.parametrize("event_type", list(EventType))
def test_headers_are_cloud_events(event_type: EventType) -> None:
    headers = cloud_event_headers(event_type, event_id="p-1", consumer="phm", subject="0" * 32, time_ms=1735689600123)
    required = {"ce_specversion", "ce_id", "ce_source", "ce_type"}
    assert required <= set(headers)
    assert headers["ce_specversion"] == "1.0"
    assert headers["ce_time"] == "2025-01-01T00:00:00.123Z"
    names = {DOCUMENTS[name]: name for name in DOCUMENTS}
    assert headers["ce_dataschema"] == schema_urn(event_type) == exported(names[EVENTS[event_type]])["$id"]
    (message,) = (kind for kinds in MESSAGES.values() for kind in kinds if kind.schemas == (names[EVENTS[event_type]],))
    assert set(message.headers) == {name for name in headers if name.startswith("ce_")}


def test_an_audit_record_is_the_registrys_event_in_its_chain() -> None:
    assert set(AuditRecord.model_fields) == {field.name for field in fields(AuditEvent)} | {"serial", "chain_hash"}


# --- disclosure policy


def test_the_shipped_policy_is_what_was_agreed() -> None:
    policy = shipped_policy()
    nhs = CountRule(suppress_up_to=7, round_to=5, suppress_zero=False, suppress_full=False)
    assert policy.rule([]) == policy.rule([Sensitivity.ORDINARY]) == nhs
    assert policy.rule([Sensitivity.SPECIAL_CATEGORY]).suppress_up_to == 7
    for kind in (Sensitivity.WELFARE, Sensitivity.INCLUSION):
        assert policy.rule([kind]) == CountRule(suppress_up_to=9, round_to=5, suppress_zero=True, suppress_full=True)


def test_the_strictest_class_in_play_holds() -> None:
    policy = shipped_policy()
    mixed = policy.rule([Sensitivity.WELFARE, Sensitivity.ORDINARY, Sensitivity.SPECIAL_CATEGORY])
    assert mixed == policy.rule([Sensitivity.WELFARE])
    for kind in Sensitivity:
        assert mixed.stricter(policy.rule([kind])) == mixed or kind is Sensitivity.INCLUSION


def changed(**changes: Any) -> DisclosurePolicy:
    return DisclosurePolicy.model_validate({**shipped_policy().model_dump(), "policy_id": "council-1", **changes})


def with_rule(kind: Sensitivity, **changes: Any) -> dict[str, Any]:
    rules = shipped_policy().model_dump()["rules"]
    return {"rules": {**rules, kind: {**rules[kind], **changes}}}


STRICTER = [
    {"min_difference": 20},
    {"k_anonymity": 50},
    {"max_dimensions": 1},
    with_rule(Sensitivity.ORDINARY, suppress_up_to=9),
    with_rule(Sensitivity.ORDINARY, round_to=10),
    with_rule(Sensitivity.ORDINARY, suppress_zero=True),
]
WEAKER = {
    "min_difference": {"min_difference": 1},
    "min_contributors": {"min_contributors": 2},
    "k_anonymity": {"k_anonymity": 2},
    "rules.welfare": with_rule(Sensitivity.WELFARE, suppress_up_to=8),
    "rules.ordinary": with_rule(Sensitivity.ORDINARY, round_to=7),
    "rules.inclusion": with_rule(Sensitivity.INCLUSION, suppress_zero=False),
    "rules.special_category": with_rule(Sensitivity.SPECIAL_CATEGORY, suppress_full=False),
}


@pytest.mark.parametrize("changes", [{}, *STRICTER])
def test_a_deployment_can_raise_the_policy(changes: dict[str, Any]) -> None:
    wanted = changed(**changes)
    assert raised(shipped_policy(), wanted) == wanted


@pytest.mark.parametrize("where", WEAKER)
def test_a_deployment_cannot_lower_the_policy(where: str) -> None:
    with pytest.raises(PolicyError) as refused:
        raised(shipped_policy(), changed(**WEAKER[where]))
    assert refused.value.reason is Reason.UNSAFE_CONFIGURATION
    assert where in refused.value.message


def test_a_floor_of_fewer_dimensions_holds() -> None:
    with pytest.raises(PolicyError, match="max_dimensions"):
        raised(changed(max_dimensions=2), changed(max_dimensions=3))


def test_a_policy_has_a_rule_for_each_class() -> None:
    rules = {kind: rule for kind, rule in shipped_policy().model_dump()["rules"].items() if kind != "inclusion"}
    with pytest.raises(ValidationError, match="no rule for: inclusion"):
        changed(rules=rules)


def test_a_wrong_policy_is_refused_by_field_without_values() -> None:
    text = shipped_policy().model_dump_json().replace('"k_anonymity":10', f'"k_anonymity":"{CANARY}"')
    with pytest.raises(InputError, match="k_anonymity") as refused:
        parse_policy(text)
    assert CANARY not in str(refused.value)


# --- purposes and cohorts


def test_a_purpose_permits_what_it_names() -> None:
    planning = purpose("planning")
    planning.permits(Output.COUNTS)
    with pytest.raises(PolicyError) as refused:
        planning.permits(Output.MEMBERS)
    assert refused.value.reason is Reason.PURPOSE_NOT_PERMITTED


@pytest.mark.parametrize("name", ["", CANARY])
def test_without_a_purpose_nothing_is_answered(name: str) -> None:
    with pytest.raises(PolicyError) as refused:
        purpose(name)
    assert refused.value.reason is Reason.PURPOSE_NOT_PERMITTED
    assert CANARY not in str(refused.value)


def test_rows_need_a_consumer_for_whom_ids_are_rekeyed() -> None:
    with pytest.raises(ValidationError, match="consumer"):
        Purpose(purpose_id="rows", title="Rows", description="Rows", outputs=(Output.MEMBERS,), sensitivities=())


COHORT = {
    "cohort_id": "copd_low_income",
    "version": 1,
    "title": "COPD on a low income",
    "description": "People with COPD whose household receives Council Tax Reduction.",
    "source": "PHM programme board, September 2024",
    "filter": "reg_copd AND ctr_in_payment",
}


def test_a_cohort_is_a_document() -> None:
    cohort = parse_cohort(json.dumps(COHORT))
    assert cohort.outputs == (Output.COUNTS,)
    assert CohortDefinition.model_validate_json(cohort.model_dump_json()) == cohort


def test_a_wrong_cohort_is_refused_by_field_without_values() -> None:
    with pytest.raises(InputError, match="version") as refused:
        parse_cohort(json.dumps({**COHORT, "version": CANARY}))
    assert CANARY not in str(refused.value)
    with pytest.raises(InputError, match="document"):
        parse_cohort("not json")


def test_data_that_ships_lies_in_packages() -> None:
    """setuptools leaves a data folder without `__init__.py` out of the wheel, and says nothing."""
    for room in ("schemas", "linkage", "services"):
        for path in (ROOT / room).rglob("*"):
            if path.suffix in {".json", ".csv", ".toml", ".ini"}:
                assert (path.parent / "__init__.py").exists(), path.relative_to(ROOT)
