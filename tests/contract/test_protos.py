"""The protos: documented, generated without drift, equal to the contracts they mirror, and additive."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import polars as pl
import pytest
from google.protobuf import descriptor_pb2
from packaging.requirements import Requirement
from packaging.version import Version

from schemas.columns import columns
from schemas.contracts.base import Contract, Feed, Operation
from schemas.contracts.facts import LISTED_FACTS, Demographics
from schemas.contracts.records import FileDeclaration, HealthRecord, WelfareRecord
from schemas.contracts.subject import ClaimRole, LinkageVariables
from schemas.decision import Decision
from schemas.errors import Reason
from schemas.features import FeatureOutput, FeatureType, HouseholdBasis, Sensitivity
from schemas.purposes import Output
from services.generate import FOLDERS, ROOT, main
from services.generation.baseline import PATH as BASELINE
from services.generation.baseline import baseline_text, extend_baseline, read_baseline
from services.generation.breaking import breaking_changes
from services.generation.protobuf import describe, proto_files

PREFIX = "hwlink.v1."


@pytest.fixture(scope="module")
def files() -> descriptor_pb2.FileDescriptorSet:
    return describe(ROOT)


@pytest.fixture
def copy(files: descriptor_pb2.FileDescriptorSet) -> descriptor_pb2.FileDescriptorSet:
    own = descriptor_pb2.FileDescriptorSet()
    own.CopyFrom(files)
    return own


def message(files: descriptor_pb2.FileDescriptorSet, name: str) -> descriptor_pb2.DescriptorProto:
    (found,) = (m for file in files.file for m in file.message_type if m.name == name)
    return found


def enum(files: descriptor_pb2.FileDescriptorSet, name: str) -> descriptor_pb2.EnumDescriptorProto:
    (found,) = (e for file in files.file for e in file.enum_type if e.name == name)
    return found


def service(files: descriptor_pb2.FileDescriptorSet, name: str) -> descriptor_pb2.ServiceDescriptorProto:
    (found,) = (s for file in files.file for s in file.service if s.name == name)
    return found


def comments(files: descriptor_pb2.FileDescriptorSet) -> dict[str, str]:
    """Every element's full name -> its leading comment, empty where it has none."""

    def elements(prefix: str, path: tuple[int, ...], descriptor: Any) -> Iterator[tuple[str, tuple[int, ...]]]:
        tags: dict[str, int] = {
            "FileDescriptorProto": {"message_type": 4, "enum_type": 5, "service": 6},
            "DescriptorProto": {"field": 2, "nested_type": 3, "enum_type": 4, "oneof_decl": 8},
            "EnumDescriptorProto": {"value": 2},
            "ServiceDescriptorProto": {"method": 2},
        }.get(type(descriptor).__name__, {})
        optional = {f.oneof_index for f in getattr(descriptor, "field", ()) if f.proto3_optional}
        for part, tag in tags.items():
            for index, element in enumerate(getattr(descriptor, part)):
                if part == "oneof_decl" and index in optional:
                    continue  # how protoc stores an `optional` field; nobody wrote it
                name, place = f"{prefix}.{element.name}", (*path, tag, index)
                yield name, place
                yield from elements(name, place, element)

    found = {}
    for file in files.file:
        held = {tuple(location.path): location.leading_comments for location in file.source_code_info.location}
        found.update({name: held.get(path, "") for name, path in elements(file.package, (), file)})
    return found


# --- documentation


def test_every_element_has_a_comment_that_starts_with_its_name(files: descriptor_pb2.FileDescriptorSet) -> None:
    found = comments(files)
    assert len(found) > 300
    silent = [name for name, text in found.items() if not text.strip().startswith(name.rpartition(".")[2])]
    assert silent == []


def test_a_missing_comment_is_seen(copy: descriptor_pb2.FileDescriptorSet) -> None:
    copy.file[0].message_type[0].field.add(name="undocumented", number=999)
    assert [name for name, text in comments(copy).items() if not text] == [
        f"{copy.file[0].package}.{copy.file[0].message_type[0].name}.undocumented"
    ]


def test_one_file_holds_at_most_one_service_and_is_of_this_package(files: descriptor_pb2.FileDescriptorSet) -> None:
    for file in files.file:
        assert len(file.service) <= 1
        assert file.package == PREFIX.rstrip(".")
        assert file.name.startswith("hwlink/v1/")


def test_enums_begin_with_unspecified_and_carry_their_name(files: descriptor_pb2.FileDescriptorSet) -> None:
    for file in files.file:
        for found in file.enum_type:
            prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", found.name).upper()
            assert found.value[0].name == f"{prefix}_UNSPECIFIED"
            assert all(value.name.startswith(f"{prefix}_") for value in found.value)


# --- reasons


def test_error_reasons_equal_the_error_tree_both_ways(files: descriptor_pb2.FileDescriptorSet) -> None:
    values = {value.name.removeprefix("ERROR_REASON_") for value in enum(files, "ErrorReason").value}
    assert values - {"UNSPECIFIED"} == {reason.value for reason in Reason}


def test_every_reason_shows_an_example_of_itself(files: descriptor_pb2.FileDescriptorSet) -> None:
    texts = {n: t for n, t in comments(files).items() if n.startswith(f"{PREFIX}ErrorReason.")}
    for name, text in texts.items():
        reason = name.removeprefix(f"{PREFIX}ErrorReason.ERROR_REASON_")
        if reason == "UNSPECIFIED":
            continue
        (line,) = (line.strip() for line in text.splitlines() if line.strip().startswith("{"))
        example = json.loads(line)
        assert example["reason"] == reason
        assert example["domain"] == "hwlink"
        assert example["metadata"]
        assert all(isinstance(value, str) for value in example["metadata"].values())


# --- the same shapes as the contracts

PARTS: dict[str, type[Contract]] = {
    "LinkageVariables": LinkageVariables,
    "Demographics": Demographics,
    **{contract.__name__: contract for kinds in LISTED_FACTS.values() for contract in kinds.values()},
}
TYPES = {
    pl.String(): descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    pl.Date(): descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    pl.Binary(): descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
    pl.Int64(): descriptor_pb2.FieldDescriptorProto.TYPE_SINT64,
    pl.Float64(): descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE,
    pl.Boolean(): descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
}


@pytest.mark.parametrize("name", PARTS)
def test_the_rows_entrance_has_the_fields_of_the_contract(files: descriptor_pb2.FileDescriptorSet, name: str) -> None:
    """Two entrances, one meaning: what a typed row can say is what a column can hold, present or absent alike."""
    fields = {field.name: field for field in message(files, name).field}
    contract = PARTS[name]
    assert list(fields) == list(contract.model_fields)
    for field, info in contract.model_fields.items():
        assert fields[field].proto3_optional == (not info.is_required()), field
        assert fields[field].type == TYPES[columns(contract)[field]], field


@pytest.mark.parametrize(("name", "contract"), [("HealthRecord", HealthRecord), ("WelfareRecord", WelfareRecord)])
def test_a_record_is_its_contract(files: descriptor_pb2.FileDescriptorSet, name: str, contract: type[Contract]) -> None:
    parts = {"linkage": LinkageVariables, "demographics": Demographics}
    names = [
        inner
        for field in message(files, name).field
        for inner in (parts[field.name].model_fields if field.name in parts else [field.name])
    ]
    assert sorted(names) == sorted(contract.model_fields)


@pytest.mark.parametrize("feed", Feed)
def test_each_kind_of_fact_is_a_list_of_its_message(files: descriptor_pb2.FileDescriptorSet, feed: Feed) -> None:
    fields = {field.name: field for field in message(files, f"{feed.value.capitalize()}Record").field}
    repeated = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED
    for kind, contract in LISTED_FACTS[feed].items():
        assert (fields[kind].label, fields[kind].type_name) == (repeated, f".{PREFIX}{contract.__name__}")


@pytest.mark.parametrize("name", PARTS)
def test_no_flag_is_required(name: str) -> None:
    """A required number that is missing travels as one out of range; of a flag there is none."""
    types = columns(PARTS[name])
    required = [field for field, info in PARTS[name].model_fields.items() if info.is_required()]
    assert pl.Boolean() not in [types[field] for field in required]


def test_an_opening_states_what_a_file_declares(files: descriptor_pb2.FileDescriptorSet) -> None:
    stated = {field.name for field in message(files, "StreamOpening").field}
    assert set(FileDeclaration.model_fields) - stated == {"format_version", "feed", "ids_kept"}


def codes_of(contract: type[Contract]) -> Iterator[tuple[str, type[StrEnum]]]:
    """Yield the fields of a contract that hold a code, and of which list."""
    for field, info in contract.model_fields.items():
        for kind in (info.annotation, *get_args(info.annotation)):
            if isinstance(kind, type) and issubclass(kind, StrEnum):
                yield field, kind


CODES: list[tuple[str, type[StrEnum]]] = [
    *((f"{name}.{field}", codes) for name, contract in PARTS.items() for field, codes in codes_of(contract)),
    ("HealthRecord.claim_role", ClaimRole),
    ("WelfareRecord.claim_role", ClaimRole),
    ("Feature.sensitivity", Sensitivity),
    ("Feature.household_basis", HouseholdBasis),
    ("Feature.outputs", FeatureOutput),
]


def test_codes_of_every_contract_are_looked_at() -> None:
    """An optional code is one too."""
    found = {name for name, _ in CODES}
    assert found >= {"Demographics.sex", "Measurement.setting", "Arrears.kind", "ClaimMembership.tenure"}


@pytest.mark.parametrize(("field", "codes"), CODES, ids=[name for name, _ in CODES])
def test_a_coded_field_lists_its_codes(
    files: descriptor_pb2.FileDescriptorSet, field: str, codes: type[StrEnum]
) -> None:
    quoted = re.findall(r"`([^`]+)`", comments(files)[PREFIX + field])
    assert set(quoted) >= {code.value for code in codes}
    assert set(quoted) <= {code.value for code in codes} | {"none", "claim_group"}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Feed", Feed),
        ("Operation", Operation),
        ("Output", Output),
        ("ValueType", FeatureType),
        ("LinkDecision", Decision),
    ],
)
def test_an_enum_equals_its_vocabulary(
    files: descriptor_pb2.FileDescriptorSet, name: str, values: type[StrEnum]
) -> None:
    prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper() + "_"
    found = {value.name.removeprefix(prefix).lower() for value in enum(files, name).value}
    assert found - {"unspecified"} == {value.value for value in values}


# --- what every service must offer


def test_every_list_is_paged(files: descriptor_pb2.FileDescriptorSet) -> None:
    repeated = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED
    of_message = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
    paged = 0
    for file in files.file:
        for method in (m for s in file.service for m in s.method if not m.server_streaming):
            request, response = (
                message(files, name.removeprefix(f".{PREFIX}")) for name in (method.input_type, method.output_type)
            )
            if any(field.label == repeated and field.type == of_message for field in response.field):
                paged += 1
                assert {"page_size", "page_token"} <= {field.name for field in request.field}, method.name
                assert "next_page_token" in {field.name for field in response.field}, method.name
    assert paged >= 6


@pytest.mark.parametrize("name", ["CohortQueryService", "LinkageService"])
def test_every_question_names_its_purpose(files: descriptor_pb2.FileDescriptorSet, name: str) -> None:
    for method in service(files, name).method:
        request = message(files, method.input_type.removeprefix(f".{PREFIX}"))
        assert request.field[0].name == "purpose", method.name


def test_no_message_can_hold_a_clear_identifier_or_a_key(files: descriptor_pb2.FileDescriptorSet) -> None:
    clear = re.compile(
        r"(?:^|_)(forename|surname|middle_names|nickname|name|postcode|outcode|address|uprn|nhs_number|nino|date_of_birth"
        r"|email|phone|salt|secret|password|private_key)(?:_|$)"
    )
    named = {"Feature.name", "ComparedField.name"}  # of a feature and of a comparison
    for file in files.file:
        for found in file.message_type:
            for field in found.field:
                if clear.search(field.name) and f"{found.name}.{field.name}" not in named:
                    assert field.name.startswith(("token_", "key_", "filter_")), f"{found.name}.{field.name}"
                    assert field.type == descriptor_pb2.FieldDescriptorProto.TYPE_BYTES


def test_answers_to_analysts_hold_no_bare_count(files: descriptor_pb2.FileDescriptorSet) -> None:
    """Every whole number in an answer of the query service is a ReleasedCount, or plainly no count of people."""
    (file,) = (f for f in files.file if f.name.endswith("/cohort.proto"))
    numbers = {
        f"{found.name}.{field.name}"
        for found in file.message_type
        for field in found.field
        if field.type
        not in (
            descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
            descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
            descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
            descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE,
            descriptor_pb2.FieldDescriptorProto.TYPE_ENUM,
        )
        and not field.name.startswith("page_")
    }
    assert numbers == {
        "AnswerContext.published_at_ms",
        "LinkageRate.linked_percent",
        "Feature.look_back_months",
        "Cohort.version",
        "Cohort.min_count",
        "CountResponse.percent",
        "AnonymityReport.k",
    }


# --- generated code


def checkout(folder: Path) -> Path:
    shutil.copytree(ROOT / "protos", folder / "protos")
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_generated_files_have_not_drifted(tmp_path: Path) -> None:
    """Regenerate everything elsewhere and compare file by file."""
    root = checkout(tmp_path)
    assert main([], root) == 0
    for folder in FOLDERS:
        made = {
            path.relative_to(root): path.read_text("utf-8") for path in (root / folder).rglob("*") if path.is_file()
        }
        held = {
            path.relative_to(ROOT): path.read_text("utf-8")
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        assert sorted(made) == sorted(held), "run `make generate`"
        assert [str(path) for path in made if made[path] != held[path]] == [], "run `make generate`"


def test_check_names_what_drifted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = checkout(tmp_path)
    main([], root)
    assert main(["--check"], root) == 0
    (root / "services/pb/hwlink/v1/core_pb2.py").write_text("# edited by hand")
    (root / "services/pb/hwlink/v1/old_pb2.py").write_text("# left over")
    (root / "schemas/generated/subject.json").unlink()
    capsys.readouterr()
    assert main(["--check"], root) == 1
    said = capsys.readouterr().err
    assert "services/pb/hwlink/v1/core_pb2.py: differs" in said
    assert "services/pb/hwlink/v1/old_pb2.py: no longer generated" in said
    assert "schemas/generated/subject.json: missing" in said
    main([], root)
    assert main(["--check"], root) == 0


def test_generated_modules_import() -> None:
    for path in proto_files(ROOT):
        module = import_module("services.pb." + path.removesuffix(".proto").replace("/", ".") + "_pb2")
        assert module.DESCRIPTOR.package == PREFIX.rstrip(".")


def test_run_time_floors_agree_with_the_generated_code() -> None:
    """Generated code checks versions at import; an older library that pyproject.toml allows would fail there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    floors = {
        requirement.name: next(Version(s.version) for s in requirement.specifier if s.operator in (">=", "=="))
        for requirement in map(Requirement, [*project["dependencies"], *project["optional-dependencies"]["dev"]])
    }
    grpc_text = (ROOT / "services/pb/hwlink/v1/ingest_pb2_grpc.py").read_text("utf-8")
    (grpc_needs,) = re.findall(r"GRPC_GENERATED_VERSION = '([^']+)'", grpc_text)
    pb_text = (ROOT / "services/pb/hwlink/v1/ingest_pb2.py").read_text("utf-8")
    (protobuf_needs,) = re.findall(r"^# Protobuf Python Version: (\S+)$", pb_text, re.MULTILINE)
    assert floors["grpcio"] >= Version(grpc_needs)
    assert floors["protobuf"] >= Version(protobuf_needs)
    assert floors["grpcio-tools"] == Version(grpc_needs)


# --- the baseline


def test_protos_only_add_to_the_baseline(files: descriptor_pb2.FileDescriptorSet) -> None:
    assert breaking_changes(read_baseline(ROOT), files) == []


def test_the_baseline_holds_everything_there_is(files: descriptor_pb2.FileDescriptorSet) -> None:
    """An addition that is not in the baseline could be taken away unseen: `--extend-baseline` takes it in."""
    assert breaking_changes(files, read_baseline(ROOT)) == []
    assert baseline_text(files) == (ROOT / BASELINE).read_text("utf-8")


Edit = Callable[[descriptor_pb2.FileDescriptorSet], None]


def _remove(part: Any, name: str) -> None:
    (index,) = (i for i, element in enumerate(part) if element.name == name)
    del part[index]


def _field(files: descriptor_pb2.FileDescriptorSet, of: str, name: str) -> descriptor_pb2.FieldDescriptorProto:
    (found,) = (field for field in message(files, of).field if field.name == name)
    return found


def _method(files: descriptor_pb2.FileDescriptorSet, of: str, name: str) -> descriptor_pb2.MethodDescriptorProto:
    (found,) = (method for method in service(files, of).method if method.name == name)
    return found


def _set(element: Any, **traits: Any) -> None:
    for name, value in traits.items():
        setattr(element, name, value)


def _file_of(files: descriptor_pb2.FileDescriptorSet, name: str) -> descriptor_pb2.FileDescriptorProto:
    (found,) = (file for file in files.file if file.name == f"hwlink/v1/{name}.proto")
    return found


BREAKS: dict[str, tuple[Edit, str]] = {
    "a field is removed": (
        lambda f: _remove(message(f, "Receipt").field, "accepted"),
        "field hwlink.v1.Receipt.accepted (2) removed or renumbered",
    ),
    "a field is renumbered": (
        lambda f: _set(_field(f, "Receipt", "accepted"), number=77),
        "field hwlink.v1.Receipt.accepted (2) removed or renumbered",
    ),
    "a field is renamed": (
        lambda f: _set(_field(f, "Receipt", "accepted"), name="taken"),
        "field hwlink.v1.Receipt.accepted (2) changed its name",
    ),
    "a field changes type": (
        lambda f: _set(_field(f, "Receipt", "accepted"), type=descriptor_pb2.FieldDescriptorProto.TYPE_STRING),
        "field hwlink.v1.Receipt.accepted (2) changed its type",
    ),
    "a field becomes another message": (
        lambda f: _set(_field(f, "CountResponse", "count"), type_name=".hwlink.v1.Selection"),
        "field hwlink.v1.CountResponse.count (1) changed its type",
    ),
    "a field becomes repeated": (
        lambda f: _set(_field(f, "Receipt", "batch"), label=descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED),
        "field hwlink.v1.Receipt.batch (1) changed its cardinality",
    ),
    "a field loses its presence": (
        lambda f: _set(_field(f, "ReleasedCount", "value"), proto3_optional=False),
        "field hwlink.v1.ReleasedCount.value (1) changed its presence",
    ),
    "a field leaves its oneof": (
        lambda f: _field(f, "IngestResponse", "receipt").ClearField("oneof_index"),
        "field hwlink.v1.IngestResponse.receipt (2) changed its oneof",
    ),
    "a message is removed": (
        lambda f: _remove(_file_of(f, "ingest").message_type, "Refusal"),
        "message hwlink.v1.Refusal removed",
    ),
    "an enum is removed": (
        lambda f: _remove(_file_of(f, "error_reason").enum_type, "ErrorReason"),
        "enum hwlink.v1.ErrorReason removed",
    ),
    "an enum value is removed": (
        lambda f: _remove(enum(f, "Feed").value, "FEED_WELFARE"),
        "enum value hwlink.v1.Feed.FEED_WELFARE (2) removed or renumbered",
    ),
    "an enum value is renumbered": (
        lambda f: _set(enum(f, "Feed").value[2], number=9),
        "enum value hwlink.v1.Feed.FEED_WELFARE (2) removed or renumbered",
    ),
    "an enum value is renamed": (
        lambda f: _set(enum(f, "Feed").value[2], name="FEED_COUNCIL"),
        "enum value hwlink.v1.Feed.FEED_WELFARE (2) changed its name",
    ),
    "a service is removed": (
        lambda f: _remove(_file_of(f, "admin").service, "AdminService"),
        "service hwlink.v1.AdminService removed",
    ),
    "an rpc is removed": (
        lambda f: _remove(service(f, "AdminService").method, "Status"),
        "rpc hwlink.v1.AdminService.Status removed",
    ),
    "an rpc asks for another message": (
        lambda f: _set(_method(f, "AdminService", "Status"), input_type=".hwlink.v1.ReconcileRequest"),
        "rpc hwlink.v1.AdminService.Status changed its input type",
    ),
    "an rpc answers with another message": (
        lambda f: _set(_method(f, "AdminService", "Status"), output_type=".hwlink.v1.ReconcileResponse"),
        "rpc hwlink.v1.AdminService.Status changed its output type",
    ),
    "an rpc begins to stream": (
        lambda f: _set(_method(f, "AdminService", "Status"), server_streaming=True),
        "rpc hwlink.v1.AdminService.Status changed its server streaming",
    ),
    "the package is renamed": (
        lambda f: _set(_file_of(f, "error_reason"), package="hwlink.v2"),
        "enum hwlink.v1.ErrorReason removed",
    ),
}


@pytest.mark.parametrize("case", BREAKS)
def test_a_breaking_change_is_named(
    files: descriptor_pb2.FileDescriptorSet, copy: descriptor_pb2.FileDescriptorSet, case: str
) -> None:
    edit, said = BREAKS[case]
    edit(copy)
    assert said in breaking_changes(files, copy)


def test_additions_break_nothing(
    files: descriptor_pb2.FileDescriptorSet, copy: descriptor_pb2.FileDescriptorSet
) -> None:
    message(copy, "Receipt").field.add(name="remark", number=99)
    message(copy, "Receipt").nested_type.add(name="Detail")
    enum(copy, "Feed").value.add(name="FEED_SCHOOLS", number=3)
    service(copy, "AdminService").method.add(name="Ping", input_type=".hwlink.v1.StatusRequest")
    _file_of(copy, "admin").message_type.add(name="Novelty")
    assert breaking_changes(files, copy) == []


def test_a_nested_enum_is_compared_too() -> None:
    old = descriptor_pb2.FileDescriptorSet()
    nested = old.file.add(package="p").message_type.add(name="M").enum_type.add(name="E")
    nested.value.add(name="E_UNSPECIFIED", number=0)
    new = descriptor_pb2.FileDescriptorSet()
    new.CopyFrom(old)
    del new.file[0].message_type[0].enum_type[0].value[0]
    assert breaking_changes(old, new) == ["enum value p.M.E.E_UNSPECIFIED (0) removed or renumbered"]


def test_the_baseline_grows_and_never_shrinks(tmp_path: Path, copy: descriptor_pb2.FileDescriptorSet) -> None:
    from schemas.errors import PolicyError

    extend_baseline(tmp_path, copy)
    message(copy, "Receipt").field.add(name="remark", number=99)
    extend_baseline(tmp_path, copy)
    held = (tmp_path / BASELINE).read_text("utf-8")
    assert "remark" in held
    _remove(message(copy, "Receipt").field, "remark")
    with pytest.raises(PolicyError, match=r"Receipt\.remark \(99\) removed"):
        extend_baseline(tmp_path, copy)
    assert (tmp_path / BASELINE).read_text("utf-8") == held
