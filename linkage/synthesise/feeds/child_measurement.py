"""Child measurement (`medway.ncmp`): the body-mass centile of children in reception and in year 6.

In Medway 23 % of reception and 38 % of year 6 are above the 85th centile and 10 and 23 % above the 95th (NCMP 2022/23,
rounded), more in deprived areas; here a normal score is shifted until it gives about that.
"""

from __future__ import annotations

from math import erf

import numpy as np

from linkage.synthesise.chance import Floats
from linkage.synthesise.feeds.facts import Facts
from linkage.synthesise.feeds.lives import Lives
from linkage.synthesise.world import DAYS_A_YEAR
from schemas.codes import MeasurementKind
from schemas.contracts.facts_health import Measurement


def content(lives: Lives) -> dict[str, Facts]:
    """Return the facts of the programme by list column; owners are positions among those registered."""
    facts = Facts(Measurement, lives.spans)
    draw = lives.chance.stream("feeds.child_measurement")
    age, born, n = lives.patients.age, lives.patients.born, len(lives.rows)
    score = 0.25 + 0.5 * (lives.patients.strain - 0.4) + 1.05 * draw.normal(size=n)
    for at_age, shift in ((4.9, 0.0), (10.9, 0.35)):
        measured_at = at_age + 0.6 * draw.random(n)
        z = score + shift + 0.35 * draw.normal(size=n)
        # 95 % take part.
        owner = np.flatnonzero((age > measured_at) & (age < 18.0) & (draw.random(n) < 0.95))
        on = born[owner] + np.floor(measured_at[owner] * DAYS_A_YEAR).astype(np.int64)
        facts.add(owner, kind=MeasurementKind.BMI_CENTILE_UK90, value=np.round(_centile(z[owner]), 1), recorded_on=on)
    return {"measurements": facts}


def _centile(z: Floats) -> Floats:
    """Return the share of the reference below a normal score, in per cent."""
    # A table of a thousandth of a score is finer than the tenth of a centile that is kept.
    grid = np.arange(-6.0, 6.001, 0.01)
    table = np.array([50.0 * (1.0 + erf(x / 2.0**0.5)) for x in grid])
    centile: Floats = np.interp(z, grid, table)
    return centile
