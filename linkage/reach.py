"""Who could be linked at all: the greatest odds that a subject's own fields could ever reach."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from linkage.compare import LEVEL, gathered, patterns
from linkage.held import HeldSubjects
from linkage.subjects import TOKEN_POSITION, BoolArray, IntArray
from linkage.threads import in_threads
from linkage.weigh import NEVER_BITS, VETOES, Weigher
from schemas.contracts.subject import TOKEN_COLUMNS
from schemas.model import COMPARISONS

_ROWS_AT_ONCE: Final = 10_000


def unlinkable(
    held: HeldSubjects,
    weigher: Weigher,
    log2_prior: npt.NDArray[np.float64],
    log2_relatives: npt.NDArray[np.float64],
    among: IntArray | None = None,
) -> npt.NDArray[np.bool_]:
    """Return whether each row (len(held.subjects)) is unlinkable: agreeing on everything it has, with a subject of
    another source that has it too, would still not reach the link threshold.

    `log2_prior` and `log2_relatives` are those of each pair of source codes, (sources, sources). A field counts where
    any other source that may be linked fills it; rows that are not alive are never unlinkable. `among` are the alive
    rows to look at, a sample of each source: the others count as linkable; without it all are.
    """
    subjects = held.subjects
    policy = weigher.model.policy
    threshold = float(np.log2(policy.link_probability / (1 - policy.link_probability)))
    filled = np.zeros((len(subjects.sources), len(TOKEN_COLUMNS)), dtype=np.bool_)
    asked = np.flatnonzero(held.alive) if among is None else among
    of_source = [asked[subjects.source[asked] == code] for code in range(len(subjects.sources))]
    for code, rows in enumerate(of_source):
        for some in portions(rows):
            filled[code] |= (gathered(subjects.table, some) != 0).any(axis=0)
    reached = np.ones(len(subjects), dtype=np.bool_)
    reached[asked] = False
    for code, unique in enumerate(subjects.unique):
        others = [other for other in range(len(subjects.sources)) if other != code or not unique]
        usable = np.asarray(filled[others].any(axis=0))

        def reach(rows: IntArray, code: int = code, others: list[int] = others, usable: BoolArray = usable) -> None:
            for other in others:
                best = _best_bits(held, weigher, rows, usable, log2_relatives[code, other]) + log2_prior[code, other]
                reached[rows] |= best >= threshold

        for _ in in_threads(reach, portions(of_source[code])):
            pass
    return ~reached


def portions(rows: IntArray) -> list[IntArray]:
    """Cut rows into portions whose tokens stay within the cache."""
    return [rows[start : start + _ROWS_AT_ONCE] for start in range(0, len(rows), _ROWS_AT_ONCE)]


def _best_bits(
    held: HeldSubjects, weigher: Weigher, rows: IntArray, usable: npt.NDArray[np.bool_], log2_relatives: float
) -> npt.NDArray[np.float64]:
    """Return the weight of each row against a perfect twin that has the usable fields."""
    has = (gathered(held.subjects.table, rows) != 0) & usable

    def present(column: str) -> npt.NDArray[np.bool_]:
        flags: npt.NDArray[np.bool_] = has[:, TOKEN_POSITION[column]]
        return flags

    level = {
        name: np.where(present(f"token_{name}"), 1, 0) for name in COMPARISONS if f"token_{name}" in TOKEN_POSITION
    }
    level["nhs_number"] |= present("token_pseudonym")
    date = LEVEL["date_of_birth"]
    exact = np.where(present("key_birth_sex"), date["exact_same_sex"], date["exact"])
    level["date_of_birth"] = np.where(present("token_date_of_birth"), exact, 0)
    home = LEVEL["home"]
    address = present("token_address") | present("token_uprn")
    postcode = present("token_postcode") | present("token_uprn")
    level["home"] = np.select(
        [address & postcode, address, postcode],
        [
            home["address_same_postcode_same"],
            home["address_same_postcode_unknown"],
            home["address_unknown_postcode_same"],
        ],
        0,
    )
    pattern = patterns(np.stack([level[name].astype(np.uint8) for name in COMPARISONS]))
    frequency = weigher.frequency_bits(pattern, held.subjects.table, rows)
    weight = weigher.weigh(pattern, frequency, log2_relatives)
    return np.where(np.isin(weigher.guards[pattern], VETOES), NEVER_BITS, weight)
