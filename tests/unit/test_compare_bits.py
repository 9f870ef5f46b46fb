"""Similarity of filters, counted in words at once, is that of bits counted one by one."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.compare import dice
from linkage.subjects import FILTER_WORDS, Subjects
from schemas.contracts.subject import FILTER_COLUMNS


def subjects(filters: np.ndarray) -> Subjects:
    """Return subjects that have these filters (n, fields, words) and nothing else."""
    frame = pl.DataFrame({"source": "a.b", "subject_ref": [str(n) for n in range(len(filters))], "version": 1})
    return dataclasses.replace(Subjects.from_frame(frame), filters=filters)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0, 1, 2, 8, 60, 64]))
def test_dice_counts_every_bit(seed: int, density: int) -> None:
    generator = np.random.default_rng(seed)
    bits = generator.integers(0, 64, (6, len(FILTER_COLUMNS), FILTER_WORDS * 64)) < density
    packed = np.packbits(bits, axis=2, bitorder="little").view("<u8")
    left, right = np.divmod(np.arange(36), 6)
    for field in range(len(FILTER_COLUMNS)):
        both = (bits[left, field] & bits[right, field]).sum(axis=1)
        total = bits[left, field].sum(axis=1) + bits[right, field].sum(axis=1)
        wanted = np.where(total > 0, 2 * both / np.maximum(total, 1), 0.0).astype(np.float32)

        held = subjects(packed)
        assert (dice(held, held, left, right, field) == wanted).all()
