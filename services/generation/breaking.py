"""What an edit of the protos breaks for those who use them: everything that is not an addition.

Compared are two descriptor sets by full name: messages, fields by number, enums and their values, services and methods.
Names count as well as numbers, because clients use the JSON form, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf import descriptor_pb2

_FIELD_TRAITS = {
    "name": "name",
    "type": "type",
    "type_name": "type",
    "label": "cardinality",
    "proto3_optional": "presence",
    "oneof": "oneof",
}


def breaking_changes(old: descriptor_pb2.FileDescriptorSet, new: descriptor_pb2.FileDescriptorSet) -> list[str]:
    """Return one line for each change from `old` to `new` that breaks a client or a stored message; sorted."""
    return sorted(
        [
            *_compared("message", _messages(old), _messages(new), _field_changes),
            *_compared("enum", _enums(old), _enums(new), _value_changes),
            *_compared("service", _services(old), _services(new), _method_changes),
        ]
    )


def _compared(kind: str, old: Mapping[str, Any], new: Mapping[str, Any], changes: Any) -> Iterator[str]:
    for name, element in old.items():
        if name in new:
            yield from changes(name, element, new[name])
        else:
            yield f"{kind} {name} removed"


def _messages(files: descriptor_pb2.FileDescriptorSet) -> dict[str, descriptor_pb2.DescriptorProto]:
    def walk(prefix: str, messages: Any) -> Iterator[tuple[str, descriptor_pb2.DescriptorProto]]:
        for message in messages:
            name = f"{prefix}.{message.name}"
            yield name, message
            yield from walk(name, message.nested_type)

    return dict(pair for file in files.file for pair in walk(file.package, file.message_type))


def _enums(files: descriptor_pb2.FileDescriptorSet) -> dict[str, descriptor_pb2.EnumDescriptorProto]:
    top = {f"{file.package}.{enum.name}": enum for file in files.file for enum in file.enum_type}
    nested = {f"{name}.{enum.name}": enum for name, message in _messages(files).items() for enum in message.enum_type}
    return {**top, **nested}


def _services(files: descriptor_pb2.FileDescriptorSet) -> dict[str, descriptor_pb2.ServiceDescriptorProto]:
    return {f"{file.package}.{service.name}": service for file in files.file for service in file.service}


def _field_changes(
    name: str, old: descriptor_pb2.DescriptorProto, new: descriptor_pb2.DescriptorProto
) -> Iterator[str]:
    held = {field.number: _traits(new, field) for field in new.field}
    for field in old.field:
        before, after = _traits(old, field), held.get(field.number)
        if after is None:
            yield f"field {name}.{field.name} ({field.number}) removed or renumbered"
            continue
        for trait in sorted({_FIELD_TRAITS[key] for key in before if before[key] != after[key]}):
            yield f"field {name}.{field.name} ({field.number}) changed its {trait}"


def _traits(message: descriptor_pb2.DescriptorProto, field: descriptor_pb2.FieldDescriptorProto) -> dict[str, Any]:
    traits = {key: getattr(field, key) for key in _FIELD_TRAITS if key != "oneof"}
    # An `optional` field stands in a oneof of its own, which is how presence is stored and no oneof to anybody.
    in_oneof = field.HasField("oneof_index") and not field.proto3_optional
    traits["oneof"] = message.oneof_decl[field.oneof_index].name if in_oneof else ""
    return traits


def _value_changes(
    name: str, old: descriptor_pb2.EnumDescriptorProto, new: descriptor_pb2.EnumDescriptorProto
) -> Iterator[str]:
    held = {value.number: value.name for value in new.value}
    for value in old.value:
        if value.number not in held:
            yield f"enum value {name}.{value.name} ({value.number}) removed or renumbered"
        elif held[value.number] != value.name:
            yield f"enum value {name}.{value.name} ({value.number}) changed its name"


def _method_changes(
    name: str, old: descriptor_pb2.ServiceDescriptorProto, new: descriptor_pb2.ServiceDescriptorProto
) -> Iterator[str]:
    held = {method.name: method for method in new.method}
    for method in old.method:
        if method.name not in held:
            yield f"rpc {name}.{method.name} removed"
            continue
        for trait in ("input_type", "output_type", "client_streaming", "server_streaming"):
            if getattr(method, trait) != getattr(held[method.name], trait):
                yield f"rpc {name}.{method.name} changed its {trait.replace('_', ' ')}"
