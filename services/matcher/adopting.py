"""The matcher as a deployment runs it: the model in force, and beside it the one that is being adopted.

Both read the same subjects, each by its own vectors and index, and say their links on the same topic. The one in force
always has its turn, so that the stream goes on while the candidate catches up.

Several workers deal the shards of each model among themselves: every one sees in the registry who is alive and who has
which shard, and concludes the same. One that has more than its share lets shards go, between two micro-batches; one
that has less takes what is nobody's, or a dead one's.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Final

from schemas.errors import Reason, StateError
from schemas.model import MatchModel, default_model, parse_model
from schemas.topics import LINKS, SUBJECTS
from services.bus import Bus
from services.lake import Zone
from services.leases import Lease
from services.loop import step_until
from services.matcher.dealing import shares
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
        lease: Lease | None = None,
        shards: int = 1,
        batch_messages: int = BATCH_MESSAGES,
        poll_s: float = _POLL_S,
    ) -> None:
        """Match by the model in force; a deployment without one starts with `model` or the shipped one.

        Without `lease` all shards are taken over at once, and whoever takes one of them ends this worker. With it they
        are dealt among the members; `owner` is then this one's name there.

        Raises StateError MODEL_MISMATCH when `model` is given and neither in force nor replaced by one that is, and
        SETTING_INVALID when the number of shards was changed while messages are in flight.
        """
        self._bus, self._registry, self._zone = bus, registry, zone
        self._owner, self._shards, self._lease = owner, shards, lease
        self._dealt_at = 0
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
            self._share()
            done = self._active.step(self._poll_s if self._is_idle else 0.0)
            if self._candidate is not None:
                done += self._candidate.step(0.0)
        except StateError as error:
            if error.reason is Reason.OWNERSHIP_LOST and self._lease is not None:
                log.warning("matcher lost a shard to another worker")
            elif error.reason not in _GONE or self._is_in_use():
                raise
            return 1
        self._is_idle = done == 0
        return done

    def run(self, stop: threading.Event) -> None:
        """Step until `stop` is set; transient failures are tried again, all others raised."""
        step_until(stop, self.step, self.close, "matcher")

    @property
    def counts(self) -> Mapping[str, int]:
        """What the matcher of the model in force counts, and now: `index_rows` of every index, `shards` it has."""
        rows = sum(matcher.index_rows for matcher in self._matchers())
        return {**self._active.counts, "index_rows": rows, "shards": len(self._active.owned)}

    def close(self) -> None:
        """Close what the matchers hold open, and be a member no more: others may take the shards at once."""
        for matcher in self._matchers():
            matcher.close()
        if self._lease is not None:
            self._lease.leave()

    def _matchers(self) -> list[Matcher]:
        return [matcher for matcher in (self._active, self._candidate) if matcher is not None]

    def _share(self) -> None:
        """Have the shards that are this worker's share, as of the lease's last look."""
        if self._lease is None:
            return
        self._lease.note_progress()
        if not self._lease.joined:
            for matcher in self._matchers():
                if not matcher.is_loaded:
                    matcher.load()  # first, so that nobody lets a shard go to one who cannot take it yet
            self._lease.join()
        if self._lease.looks != self._dealt_at:
            looked, members = self._lease.looks, self._lease.members
            for matcher in self._matchers():
                self._deal(matcher, members)
            self._dealt_at = looked

    def _deal(self, matcher: Matcher, members: Sequence[str]) -> None:
        owners = {shard.shard: shard.owner for shard in self._registry.shards(matcher.model_id)}
        dealt = shares(owners, members, self._shards)
        for shard in sorted(matcher.owned):
            if owners.get(shard) != self._owner:
                matcher.drop(shard)
            elif dealt.get(shard) != self._owner:
                matcher.release(shard)
        for shard, member in dealt.items():
            is_free = owners.get(shard, "") in ("", self._owner) or owners[shard] not in members
            if member == self._owner and is_free and shard not in matcher.owned:
                matcher.take(shard)
                log.info("matcher takes a shard", extra={"shard": shard})

    def _follow(self) -> None:
        """Use the models that are in use now."""
        used = self._registry.in_use()
        if used.active is not None and used.active != self._active.model_id:
            log.info("matcher goes on with the adopted model")
            former, candidate = self._active, self._candidate
            is_it = candidate is not None and candidate.model_id == used.active
            self._active = candidate if candidate and is_it else self._matcher(self._parsed(used.active))
            self._candidate = None if is_it else candidate
            self._dealt_at = 0
            former.close()
        serial = None if used.adoption is None else used.adoption.serial
        if self._candidate is not None and self._candidate.adoption != serial:
            log.info("matcher drops the candidate model")
            self._candidate.close()
            self._candidate = None
        if used.adoption is not None and self._candidate is None:
            log.info("matcher starts the candidate model")
            self._candidate = self._matcher(self._parsed(used.adoption.model_id), used.adoption.serial)
            self._dealt_at = 0

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
            owned=None if self._lease is None else (),
            adoption=adoption,
            batch_messages=self._batch_messages,
            poll_s=self._poll_s,
        )
