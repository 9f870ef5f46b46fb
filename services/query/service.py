"""The gRPC service over published snapshots: permission, disclosure control, the ledger and the audit, in that
order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import grpc
import numpy as np

from linkage.cohorts import Selection, select
from linkage.disclosure import release_count, release_percent
from linkage.disclosure.counts import Mask
from linkage.features import FEATURES
from schemas.cohort_documents import guards, shipped_cohorts
from schemas.cohorts import CohortDefinition
from schemas.contracts.base import Feed
from schemas.disclosure import DisclosurePolicy, shipped_policy
from schemas.errors import InputError, PolicyError, Reason
from schemas.features import FeatureDefinition
from schemas.purposes import Output, Purpose, purpose
from schemas.wire import to_ipc
from services.consumers import ConsumerKeys
from services.pb.hwlink.v1 import cohort_pb2, cohort_pb2_grpc
from services.query import say
from services.query.answers import Linkage, count_answer, linkage, propose, table_answer
from services.query.audit import Audit, audited
from services.query.ledger import Ledger, Proposal
from services.query.members import members, requested_features
from services.query.permission import (
    cohort_for,
    dimensions_for,
    may_ask,
    obey_rules,
    permit,
    refuse_large_table,
    refuse_unknown_places,
)
from services.query.questions import Kind, Question
from services.query.states import HELD, State, States
from services.registry import QueryRegistry
from services.rpc.pages import Pages
from services.rpc.server import Service

LARGEST_TABLE: Final = 20_000
"""Entries with margins: more than anybody reads, and few enough to be protected together in well under a second."""
_CELLS_PAGE: Final = (1_000, 10_000)
_ROWS_PAGE: Final = (5_000, 50_000)


@dataclass(frozen=True)
class Caller:
    """Who asks. Until callers are authenticated, everybody on this machine is one principal of one organisation."""

    principal: str = "local"
    organisation: str = "local"


def _local(_: grpc.ServicerContext) -> Caller:
    return Caller()


class _Asking(Protocol):
    """What requests about people have in common."""

    @property
    def purpose(self) -> str: ...
    @property
    def snapshot_id(self) -> str: ...
    @property
    def selection(self) -> cohort_pb2.Selection: ...


class CohortQuery(cohort_pb2_grpc.CohortQueryServiceServicer):
    """Answers questions about published snapshots. Thread-safe."""

    def __init__(
        self,
        states: States,
        registry: QueryRegistry,
        keys: ConsumerKeys,
        *,
        policy: DisclosurePolicy | None = None,
        cohorts: Mapping[str, CohortDefinition] | None = None,
        identify: Callable[[grpc.ServicerContext], Caller] = _local,
    ) -> None:
        """Serve `states` under `policy` (the shipped one by default), writing ledger and audit to the registry."""
        self._states = states
        self._registry = registry
        self._keys = keys
        self._policy = policy or shipped_policy()
        self._cohorts = shipped_cohorts() if cohorts is None else cohorts
        self._identify = identify
        self._ledger = Ledger(registry, self._policy.min_difference)
        self._pages = Pages()
        self._linkages: dict[str, Linkage] = {}

    @property
    def service(self) -> Service:
        """Return what an `RpcServer` offers."""
        add = partial(cohort_pb2_grpc.add_CohortQueryServiceServicer_to_server, self)
        return Service("hwlink.v1.CohortQueryService", add)

    def ListFeatures(
        self, request: cohort_pb2.ListFeaturesRequest, context: grpc.ServicerContext
    ) -> cohort_pb2.ListFeaturesResponse:
        """List the features that the purpose may use."""
        with audited(self._registry, self._identify(context).principal, request.purpose, "query.features") as audit:
            asking = purpose(request.purpose)
            listed = [d for d in FEATURES.values() if d.leaves and d.sensitivity in asking.sensitivities]
            page, token = self._pages.page(request, listed)
            audit.write("released", {})
        return cohort_pb2.ListFeaturesResponse(
            features=[say.feature_message(definition) for definition in page], next_page_token=token
        )

    def ListCohorts(
        self, request: cohort_pb2.ListCohortsRequest, context: grpc.ServicerContext
    ) -> cohort_pb2.ListCohortsResponse:
        """List the cohorts that the purpose may ask for."""
        with audited(self._registry, self._identify(context).principal, request.purpose, "query.cohorts") as audit:
            asking = purpose(request.purpose)
            listed = [cohort for _, cohort in sorted(self._cohorts.items()) if may_ask(asking, cohort)]
            page, token = self._pages.page(request, listed)
            audit.write("released", {})
        return cohort_pb2.ListCohortsResponse(
            cohorts=[say.cohort_message(definition) for definition in page], next_page_token=token
        )

    def ListPublishedSnapshots(
        self, request: cohort_pb2.ListPublishedSnapshotsRequest, context: grpc.ServicerContext
    ) -> cohort_pb2.ListPublishedSnapshotsResponse:
        """List the published snapshots, newest first."""
        with audited(self._registry, self._identify(context).principal, request.purpose, "query.snapshots") as audit:
            purpose(request.purpose)
            page, token = self._pages.page(request, self._registry.snapshots())
            audit.write("released", {})
        return cohort_pb2.ListPublishedSnapshotsResponse(
            snapshots=[say.snapshot_message(snapshot) for snapshot in page], next_page_token=token
        )

    def Count(self, request: cohort_pb2.CountRequest, context: grpc.ServicerContext) -> cohort_pb2.CountResponse:
        """Count the people of a selection."""
        caller = self._identify(context)
        with audited(self._registry, caller.principal, request.purpose, "query.count") as audit:
            state, selection, frozen = self._selected(request, purpose(request.purpose), Output.COUNTS)
            question = Question(Kind.COUNT, selection, freeze_id=request.selection.freeze_id, frozen=frozen)
            answer = count_answer(state, question, self._policy)
            told = self._told(request, state, question, answer.proposal, caller, audit)
        count, unknown, denominator, linked, health, welfare = (
            int(value) if shown else None for value, shown in zip(answer.numbers, told, strict=True)
        )
        return cohort_pb2.CountResponse(
            count=say.number(count),
            unknown=say.number(unknown),
            denominator=say.number(denominator),
            percent=release_percent(count, denominator),
            linkage=cohort_pb2.DenominatorLinkage(
                health=say.rate_message(Feed.HEALTH, health, linked),
                welfare=say.rate_message(Feed.WELFARE, welfare, linked),
            ),
            context=self._context(state),
        )

    def Table(self, request: cohort_pb2.TableRequest, context: grpc.ServicerContext) -> cohort_pb2.TableResponse:
        """Count the people of a selection by features."""
        caller = self._identify(context)
        with audited(self._registry, caller.principal, request.purpose, "query.table") as audit:
            asking = purpose(request.purpose)
            dimensions = dimensions_for(request.dimensions, asking, self._policy.max_dimensions)
            start, size = self._pages.position(request), _size(request.page_size, _CELLS_PAGE)
            state, selection, frozen = self._selected(request, asking, Output.COUNTS, dimensions)
            refuse_large_table(state, dimensions, LARGEST_TABLE)
            names = tuple(d.name for d in dimensions)
            question = Question(Kind.TABLE, selection, names, request.margins, request.selection.freeze_id, frozen)
            answer = table_answer(state, question, self._policy)
            told = self._told(request, state, question, answer.proposal, caller, audit)
        shape = answer.table.values.shape
        places = [place for place in np.ndindex(shape) if request.margins or _is_inner(place, shape)]
        return cohort_pb2.TableResponse(
            dimensions=question.dimensions,
            cells=say.cell_messages(answer.dimensions, answer.table, told, places[start : start + size]),
            context=self._context(state),
            next_page_token=self._pages.token(request, start + size) if start + size < len(places) else "",
        )

    def Members(
        self, request: cohort_pb2.MembersRequest, context: grpc.ServicerContext
    ) -> Iterator[cohort_pb2.MembersResponse]:
        """Stream the people of a selection as rows, where the purpose permits rows."""
        with audited(self._registry, self._identify(context).principal, request.purpose, "query.members") as audit:
            asking = purpose(request.purpose)
            asking.permits(Output.MEMBERS)
            wanted = requested_features(list(request.features), asking, guards(self._cohorts))
            start, size = self._pages.position(request), _size(request.page_size, _ROWS_PAGE)
            state, selection, _ = self._selected(request, asking, Output.MEMBERS)
            key = self._keys.key(asking.consumer or asking.purpose_id)
            found = members(state, selection, wanted, key, self._policy.k_anonymity)
            columns = ",".join(definition.name for definition in wanted)
            detail = {"snapshot_id": state.snapshot.snapshot_id, **selection.canonical, "columns": columns}
            audit.write("released", detail)
        yield cohort_pb2.MembersResponse(context=self._context(state))
        rule = self._policy.rule(used.sensitivity for used in (*selection.features, *wanted))
        yield cohort_pb2.MembersResponse(
            anonymity=cohort_pb2.AnonymityReport(
                k=self._policy.k_anonymity,
                quasi_identifiers=found.quasi,
                members=say.number(release_count(found.meant, rule)),
                generalised=say.number(release_count(found.released.generalised, rule)),
                withheld=say.number(release_count(found.released.withheld, rule)),
            )
        )
        rows = found.released.rows
        # One message even of no rows: a reader then has the columns.
        for first in range(start, max(len(rows), start + 1), size):
            more = first + size < len(rows)
            yield cohort_pb2.MembersResponse(
                rows=cohort_pb2.MemberRows(
                    arrow_ipc=to_ipc(rows.slice(first, size)),
                    next_page_token=self._pages.token(request, first + size) if more else "",
                )
            )

    def _selected(
        self, request: _Asking, asking: Purpose, output: Output, by: Sequence[FeatureDefinition] = ()
    ) -> tuple[State, Selection, Selection | None]:
        """Return the state and the people that a request means, having checked that it may ask for them, told `by`.

        Of a frozen cohort the selection only narrows it; last come the filters by which it was frozen.
        """
        asking.permits(output)
        own = request.selection.filter
        cohort_id, frozen = self._frozen(request.selection, output)
        cohort = cohort_for(self._cohorts, cohort_id, output)
        selection = select(None if frozen else cohort, own)
        for used in (*selection.features, *(frozen.features if frozen else ())):
            permit(asking, used)
        obey_rules(self._cohorts, cohort_id, (*select(None, own).features, *by))
        state = self._states.state(request.snapshot_id or None)
        refuse_unknown_places(state, selection)
        return state, selection, frozen

    def _frozen(self, asked: cohort_pb2.Selection, output: Output) -> tuple[str, Selection | None]:
        """Return the cohort whose rules hold, and the filters by which a frozen one was frozen."""
        if not asked.freeze_id:
            return asked.cohort_id, None
        if asked.cohort_id:
            raise InputError(Reason.OPTION_INVALID, "Ask for a cohort as it is or for a frozen one, not for both.")
        if output is not Output.COUNTS:
            raise PolicyError(Reason.PURPOSE_NOT_PERMITTED, "A frozen cohort is counted, never listed.")
        freeze = self._states.freezes.get(asked.freeze_id)
        return freeze.cohort_id, freeze.selection

    def _told(
        self,
        request: _Asking,
        state: State,
        question: Question,
        proposal: Proposal,
        caller: Caller,
        audit: Audit,
    ) -> Mask:
        """Return which of the proposed numbers may be told; the ledger and the audit then have it."""
        cohort_id, _ = self._frozen(request.selection, Output.COUNTS)
        asked = self._cohorts.get(cohort_id)
        if asked is not None and proposal.meant < asked.min_count:
            raise PolicyError(
                Reason.DISCLOSURE_RISK,
                f"Cohort {asked.cohort_id} answers from {asked.min_count} people up, and there are fewer of them.",
            )

        def work_out(text: str) -> Proposal:
            return proposal if text == question.text else propose(state, Question.from_text(text), self._policy)

        snapshot_id = state.snapshot.snapshot_id
        event = audit.event("released", {"snapshot_id": snapshot_id, "question": question.text})
        whole = self._linkage(state)
        always = whole.release.told(whole.permitted)
        return self._ledger.admit(snapshot_id, caller.organisation, question.text, work_out, always, event)

    def _linkage(self, state: State) -> Linkage:
        found = self._linkages.get(state.snapshot.snapshot_id)
        if found is None:
            if len(self._linkages) >= HELD:
                self._linkages.clear()
            found = self._linkages[state.snapshot.snapshot_id] = linkage(state, self._policy)
        return found

    def _context(self, state: State) -> cohort_pb2.AnswerContext:
        return say.context_message(state, self._policy, self._linkage(state))


def _is_inner(place: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    return all(at < width - 1 for at, width in zip(place, shape, strict=True))


def _size(asked: int, default_and_largest: tuple[int, int]) -> int:
    default, largest = default_and_largest
    return min(asked or default, largest)
