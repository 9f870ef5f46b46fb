"""Positions over all partitions of the subjects topic, as the bus and as the registry name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from schemas.topics import Topic
from services.bus import TopicPartition

Vector = dict[TopicPartition, int]
"""The next offset to read of each partition."""


def named(vector: Mapping[TopicPartition, int]) -> dict[str, int]:
    """Return a vector as the registry keeps it: `topic-partition` -> next offset."""
    return {f"{p.topic}-{p.partition}": offset for p, offset in vector.items()}


def vector_of(topic: Topic, position: Mapping[str, int]) -> Vector:
    """Return a registry's position over every partition of the topic, 0 where it has none."""
    return {TopicPartition(topic.name, p): position.get(f"{topic.name}-{p}", 0) for p in range(topic.partitions)}


def highest(vectors: Iterable[Vector]) -> Vector:
    """Return the largest offset of each partition."""
    result: Vector = {}
    for vector in vectors:
        result = {p: max(offset, result.get(p, 0)) for p, offset in vector.items()}
    return result


def lowest(vectors: Iterable[Vector]) -> Vector:
    """Return the smallest offset of each partition."""
    result: Vector = {}
    for vector in vectors:
        result = {p: min(offset, result.get(p, offset)) for p, offset in vector.items()}
    return result


def covers(vector: Vector, other: Vector) -> bool:
    """Return whether a vector has reached another in every partition."""
    return all(vector[p] >= offset for p, offset in other.items())


def before(vector: Mapping[TopicPartition, int]) -> pl.Expr:
    """Return the condition that a landed row came before the vector."""
    ends = {p.partition: offset for p, offset in vector.items()}
    return pl.col("_offset") < pl.col("_partition").replace_strict(ends, default=0, return_dtype=pl.Int64)
