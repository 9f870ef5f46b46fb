"""The committed baseline of the protos: what clients may rely on, as a descriptor set in protobuf's text format."""

from __future__ import annotations

from pathlib import Path

from google.protobuf import descriptor_pb2, text_format

from schemas.errors import PolicyError, Reason
from services.generation.breaking import breaking_changes

PATH = "protos/baseline/hwlink.v1.txtpb"


def read_baseline(root: Path) -> descriptor_pb2.FileDescriptorSet:
    """Return the committed baseline of a checkout."""
    found = descriptor_pb2.FileDescriptorSet()
    text_format.Parse((root / PATH).read_text("utf-8"), found)
    return found


def baseline_text(files: descriptor_pb2.FileDescriptorSet) -> str:
    """Return a descriptor set as baseline text: without comments, files in order of name."""
    bare = descriptor_pb2.FileDescriptorSet()
    bare.CopyFrom(files)
    for file in bare.file:
        file.ClearField("source_code_info")
    ordered = descriptor_pb2.FileDescriptorSet(file=sorted(bare.file, key=lambda file: file.name))
    head = (
        "# What clients may rely on. Written by `python -m services.generate --extend-baseline`; it only ever grows.\n"
    )
    return head + str(text_format.MessageToString(ordered))


def extend_baseline(root: Path, files: descriptor_pb2.FileDescriptorSet) -> None:
    """Take additions into the baseline; raises PolicyError UNSAFE_CONFIGURATION naming what would break, if
    anything."""
    target = root / PATH
    broken = breaking_changes(read_baseline(root), files) if target.exists() else []
    if broken:
        raise PolicyError(
            Reason.UNSAFE_CONFIGURATION,
            f"The protos break what clients rely on: {'; '.join(broken)}. Take these changes back, or begin a `v2`.",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(baseline_text(files), "utf-8", newline="\n")
