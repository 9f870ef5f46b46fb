"""Types of the gRPC stubs and servicers, which protoc does not write: without them every call would be untyped."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf import descriptor_pb2

_HEAD = '''"""Generated from `protos/{proto}` by `python -m services.generate`."""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import grpc
{imports}

_Request_contra = TypeVar("_Request_contra", contravariant=True)
_Response_co = TypeVar("_Response_co", covariant=True)

class _Responses(Generic[_Response_co]):
    def __iter__(self) -> Iterator[_Response_co]: ...
    def __next__(self) -> _Response_co: ...
    def cancel(self) -> bool: ...
    def is_active(self) -> bool: ...
    def code(self) -> grpc.StatusCode: ...
    def details(self) -> str: ...
    def initial_metadata(self) -> Any: ...
    def trailing_metadata(self) -> Any: ...

class _Unary(Generic[_Request_contra, _Response_co]):
    def __call__(
        self,
        request: _Request_contra,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: Any = None,
        wait_for_ready: bool | None = None,
        compression: Any = None,
    ) -> _Response_co: ...
    def with_call(
        self, request: _Request_contra, timeout: float | None = None, metadata: Any = None
    ) -> tuple[_Response_co, Any]: ...

class _Streaming(Generic[_Request_contra, _Response_co]):
    def __call__(
        self,
        request: _Request_contra,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: Any = None,
        wait_for_ready: bool | None = None,
        compression: Any = None,
    ) -> _Responses[_Response_co]: ...
'''


def grpc_types(proto: descriptor_pb2.FileDescriptorProto, package: str) -> str:
    """Return the `.pyi` text of one proto file's `_pb2_grpc` module; `package` is where the generated code lives."""
    module = proto.name.removesuffix(".proto") + "_pb2"
    folder, _, name = module.rpartition("/")
    imports = f"from {package}.{folder.replace('/', '.')} import {name}"
    services = [line for service in proto.service for line in _service(service, f".{proto.package}.", name)]
    return _HEAD.format(proto=proto.name, imports=imports) + "\n".join(["", *services])


def _service(service: descriptor_pb2.ServiceDescriptorProto, prefix: str, module: str) -> Iterator[str]:
    yield f"class {service.name}Stub:"
    yield "    def __init__(self, channel: grpc.Channel) -> None: ..."
    for method in service.method:
        request, response = _types(method, prefix, module)
        kind = "_Streaming" if method.server_streaming else "_Unary"
        yield f"    {method.name}: {kind}[{request}, {response}]"
    yield ""
    yield f"class {service.name}Servicer:"
    for method in service.method:
        request, response = _types(method, prefix, module)
        answer = f"Iterator[{response}]" if method.server_streaming else response
        argument = "request_iterator" if method.client_streaming else "request"
        yield f"    def {method.name}(self, {argument}: {request}, context: grpc.ServicerContext) -> {answer}: ..."
    yield ""
    servicer = f"{service.name}Servicer"
    yield f"def add_{servicer}_to_server(servicer: {servicer}, server: grpc.Server) -> None: ..."
    yield ""


def _types(method: descriptor_pb2.MethodDescriptorProto, prefix: str, module: str) -> tuple[str, str]:
    """Return the Python types of request and response; both are messages of the service's own file."""
    request, response = (f"{module}.{name.removeprefix(prefix)}" for name in (method.input_type, method.output_type))
    return (f"Iterator[{request}]" if method.client_streaming else request), response
