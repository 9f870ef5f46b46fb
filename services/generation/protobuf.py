"""Python code from `protos/`: messages, gRPC stubs, and the types of both, as the `services.pb` package."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path, PurePosixPath

from google.protobuf import descriptor_pb2

from schemas.errors import InputError, Reason
from services.generation.grpc_types import grpc_types

PACKAGE = "services.pb"


def proto_files(root: Path) -> list[str]:
    """Return the proto files of a checkout, relative to `protos/`, sorted."""
    protos = root / "protos"
    return sorted(path.relative_to(protos).as_posix() for path in protos.rglob("*.proto"))


def describe(root: Path) -> descriptor_pb2.FileDescriptorSet:
    """Compile the protos of a checkout to a descriptor set, comments included."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "descriptors.binpb"
        _protoc(root, ["--include_source_info", f"--descriptor_set_out={out}"])
        found = descriptor_pb2.FileDescriptorSet()
        found.ParseFromString(out.read_bytes())
        return found


def generated_code(root: Path) -> dict[str, str]:
    """Return the text of every file of `services/pb/`, by path relative to the checkout."""
    with tempfile.TemporaryDirectory() as folder:
        _protoc(root, [f"--{plugin}_out={folder}" for plugin in ("python", "pyi", "grpc_python")])
        raw = {path.relative_to(folder): path.read_text("utf-8") for path in Path(folder).rglob("*.py*")}
    descriptors = {proto.name: proto for proto in describe(root).file}
    out = {}
    for path, text in sorted(raw.items()):
        proto = descriptors[re.sub(r"_pb2(_grpc)?\.pyi?$", ".proto", path.as_posix())]
        if path.name.endswith("_grpc.py"):
            if not proto.service:
                continue  # protoc writes an empty one for every file
            out[f"services/pb/{path.as_posix()}i"] = grpc_types(proto, PACKAGE)
        out[f"services/pb/{path.as_posix()}"] = _absolute(text, path.parts[0])
    for package in sorted({parent for path in out for parent in PurePosixPath(path).parents}):
        # import-linter and setuptools do not see a folder without one.
        if package.is_relative_to("services/pb"):
            name = ".".join(package.parts)
            out[f"{package}/__init__.py"] = (
                f'"""Generated from `protos/` by `python -m services.generate`: `{name}`."""\n'
            )
    return out


def _absolute(text: str, top: str) -> str:
    """Mend protoc's imports, which take the proto package for a top-level Python package."""
    return re.sub(rf"^from {top}\.", f"from {PACKAGE}.{top}.", text, flags=re.MULTILINE)


def _protoc(root: Path, arguments: Sequence[str]) -> None:
    from grpc_tools import protoc  # type: ignore[import-untyped]

    well_known = str(files("grpc_tools") / "_proto")
    status = protoc.main(["protoc", f"-I{root / 'protos'}", f"-I{well_known}", *arguments, *proto_files(root)])
    if status != 0:
        raise InputError(
            Reason.FILE_UNREADABLE, "protoc refused the protos; mend what it printed above and run it again."
        )
