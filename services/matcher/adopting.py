"""The matcher as a deployment runs it: the model in force, and beside it the one that is being adopted.

Both read the same subjects, each by its own vectors and index, and say their links on the same topic. The one in force
always has its turn, so that the stream goes on while the candidate catches up.
"""

from __future__ import annotations

import logging
import threading
from typing import Final

from schemas.errors import Reason, StateError
from schemas.model import MatchModel, default_model, parse_model
from schemas.topics import LINKS, SUBJECTS
from services.bus import Bus
from services.lake import Zone
from services.loop import step_until
from services.matcher.role import BATCH_MESSAGES, Matcher, active_model
from services.matcher.vector import named
from services.registry import MatcherRegistry

_POLL_S: Final = 0.5
_GONE: Final = (Reason.OWNERSHIP_LOST, Reason.MODEL_MISMATCH)
"""What a matcher meets whose model has just been switched or abandoned."""

log = logging.getLogger(__name__)


class Matching:
    """Matches all shards by every model in use. Not thread-safe; `run` is its loop."""

    def __init__(
        self,
        bus: Bus,
        registry: MatcherRegistry,
        zone: Zone,
        model: MatchModel | None,
        *,
        owner: str,
        shards: int = 1,
        batch_messages: int = BATCH_MESSAGES,
        poll_s: float = _POLL_S,
    ) -> None:
        """Take the shards of the model in force over; a deployment without one starts with `model` or the shipped one.

        Raises StateError MODEL_MISMATCH when `model` is given and neither in force nor replaced by one that is, and
        SETTING_INVALID when the number of shards was changed while messages are in flight.
        """
        self._bus, self._registry, self._zone = bus, registry, zone
        self._owner, self._shards = owner, shards
        self._batch_messages, self._poll_s = batch_messages, poll_s
        first = model or active_model(registry) or default_model()
        registry.adopt_first_model(first.model_id, first.model_dump_json())
        registry.settle_shards(shards, named(bus.end_offsets(SUBJECTS)), named(bus.end_offsets(LINKS)))
        self._candidate: Matcher | None = None
        self._active = self._matcher(active_model(registry) or first)
        self._is_idle = True

    def step(self) -> int:
        """Let the model in force match a micro-batch, then the candidate; return a count of the work done."""
        try:
            self._follow()
            done = self._active.step(self._poll_s if self._is_idle else 0.0)
            if self._candidate is not None:
                done += self._candidate.step(0.0)
        except StateError as error:
            if error.reason not in _GONE or self._is_in_use():
                raise
            return 1
        self._is_idle = done == 0
        return done

    def run(self, stop: threading.Event) -> None:
        """Step until `stop` is set; transient failures are tried again, all others raised, OWNERSHIP_LOST too."""
        step_until(stop, self.step, self.close, "matcher")

    def close(self) -> None:
        """Close what the matchers hold open; the shards stay claimed until another owner takes them."""
        for matcher in (self._active, self._candidate):
            if matcher is not None:
                matcher.close()

    def _follow(self) -> None:
        """Use the models that are in use now."""
        used = self._registry.in_use()
        if used.active is not None and used.active != self._active.model_id:
            log.info("matcher goes on with the adopted model")
            former, candidate = self._active, self._candidate
            is_it = candidate is not None and candidate.model_id == used.active
            self._active = candidate if candidate and is_it else self._matcher(self._parsed(used.active))
            self._candidate = None if is_it else candidate
            former.close()
        serial = None if used.adoption is None else used.adoption.serial
        if self._candidate is not None and self._candidate.adoption != serial:
            log.info("matcher drops the candidate model")
            self._candidate.close()
            self._candidate = None
        if used.adoption is not None and self._candidate is None:
            log.info("matcher starts the candidate model")
            self._candidate = self._matcher(self._parsed(used.adoption.model_id), used.adoption.serial)

    def _is_in_use(self) -> bool:
        """Return whether the models that this matches by are still those in use."""
        used = self._registry.in_use()
        held = None if self._candidate is None else self._candidate.adoption
        serial = None if used.adoption is None else used.adoption.serial
        return (used.active, serial) == (self._active.model_id, held)

    def _parsed(self, model_id: str) -> MatchModel:
        return parse_model(self._registry.document(model_id))

    def _matcher(self, model: MatchModel, adoption: int | None = None) -> Matcher:
        return Matcher(
            self._bus,
            self._registry,
            self._zone,
            model,
            owner=self._owner,
            shards=self._shards,
            adoption=adoption,
            batch_messages=self._batch_messages,
            poll_s=self._poll_s,
        )
