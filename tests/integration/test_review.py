"""The LinkageService over real gRPC, a real registry and a real resolver: blind, audited, and with lasting effect."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, cast

import grpc
import numpy as np
import polars as pl
import pytest

from linkage.compare import LEVEL, PLACE, patterns
from linkage.match import Matcher
from linkage.quality.thresholds import LOOSE, STRICT
from schemas.columns import columns
from schemas.contracts.base import Feed
from schemas.contracts.links import PairLink, Roster
from schemas.decision import DecisionPolicy
from schemas.disclosure import shipped_policy
from schemas.errors import HwlinkError, InputError, PolicyError, Reason, StateError
from schemas.model import COMPARISONS, ExpectedMatches, FitReport, MatchModel, Session, default_model
from schemas.topics import INTERNAL, LINKS
from schemas.wire import to_ipc
from services.bus import Outgoing
from services.bus.memory import MemoryBus
from services.features.summary import SUBGROUPS, summary_json
from services.lake.delta import DeltaZone
from services.pb.hwlink.v1 import core_pb2, linkage_pb2, linkage_pb2_grpc
from services.query.answers import linkage
from services.query.freezes import Freezes
from services.query.states import State
from services.registry import AuditEvent, Snapshot
from services.registry.chain import first_break
from services.registry.sql import SqlRegistry, open_registry
from services.resolver.role import Resolver
from services.review.estimates import Linkage, between_feeds, recall_of
from services.review.role import linkage_service
from services.rpc.client import call
from services.rpc.server import RpcServer

MODEL = default_model().model_copy(update={"policy": DecisionPolicy(link_probability=0.5, review_probability=0.1)})
PURPOSE = "linkage-quality"
GP, SHBE, CTR = "kmpt.gp", "medway.shbe", "swale.ctr"
HEALTH, WELFARE = core_pb2.FEED_HEALTH, core_pb2.FEED_WELFARE
SAME, DIFFERENT, UNSURE = (
    linkage_pb2.REVIEW_VERDICT_SAME,
    linkage_pb2.REVIEW_VERDICT_DIFFERENT,
    linkage_pb2.REVIEW_VERDICT_UNSURE,
)
_LEVELS = np.zeros((len(COMPARISONS), 1), dtype=np.uint8)
for _name, _level in (("forename", "exact"), ("surname", "exact"), ("date_of_birth", "exact_same_sex")):
    _LEVELS[PLACE[_name]] = LEVEL[_name][_level]
PATTERN = int(patterns(_LEVELS)[0])
WEIGHT_BITS = float(Matcher(MODEL).weigher.bits[PATTERN])


def ref(number: int) -> str:
    """A subject's reference."""
    return f"{number:032x}"


@dataclass
class Line:
    """Registry, links topic, resolver and server, as they run together."""

    registry: SqlRegistry
    bus: MemoryBus
    resolver: Resolver
    position: int = 0

    def links(self, pairs: dict[tuple[int, int], float], versions: dict[int, int] | None = None, **of: Any) -> None:
        """Say pairs of GP subject and SHBE subject, each with its log2 odds, as the matcher does; then resolve them."""
        versions = versions or {}
        health = sorted({left for left, _ in pairs})
        welfare = sorted({right for _, right in pairs})
        roster = pl.DataFrame(
            [
                {
                    "source": source,
                    "subject_ref": ref(n),
                    "version": versions.get(n, 1),
                    "operation": "upsert",
                    "one_record_per_person": True,
                }
                for source, numbers in ((GP, health), (of.get("right_source", SHBE), welfare))
                for n in numbers
            ],
            schema=columns(Roster),
        )
        found = pl.DataFrame(
            [
                {
                    "left_source": GP,
                    "left_ref": ref(left),
                    "left_version": versions.get(left, 1),
                    "right_source": SHBE,
                    "right_ref": ref(right),
                    "right_version": versions.get(right, 1),
                    "pattern": PATTERN,
                    "weight_bits": WEIGHT_BITS,
                    "log2_odds": odds,
                    "model_id": MODEL.model_id,
                    "shard": 0,
                    **of,
                }
                for (left, right), odds in pairs.items()
            ],
            schema=columns(PairLink),
        )
        self.position += 1
        headers = {"shard": "0", "epoch": "1"}
        self.bus.producer().send(
            [
                Outgoing(LINKS.name, 0, b"0", to_ipc(roster), {**headers, "kind": "roster"}),
                Outgoing(LINKS.name, 0, b"0", to_ipc(found), {**headers, "kind": "pairs", "position": "{}"}),
            ]
        )
        self.resolve()

    def resolve(self) -> None:
        """Let the resolver do all there is to do."""
        while self.resolver.step():
            pass
        self.resolver.step()

    def audited(self, action: str) -> list[AuditEvent]:
        """The audit's events of one action; the chain must hold."""
        events = self.registry.query.audit_events()
        assert first_break(events) is None
        return [event for _, event, _ in events if event.action == action]


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    registry = open_registry(f"sqlite:///{tmp_path / 'registry.db'}")
    registry.matcher.adopt_first_model(MODEL.model_id, MODEL.model_dump_json())
    bus = MemoryBus()
    bus.create_topics(INTERNAL)
    resolver = Resolver(bus, registry.resolver, MODEL.policy, owner="test", poll_s=0)
    yield Line(registry, bus, resolver)
    resolver.close()
    registry.close()


@dataclass
class Reviewer:
    """Calls the service as a client does; failures are hwlink's."""

    stub: linkage_pb2_grpc.LinkageServiceStub

    def next(self, page_token: str = "", purpose: str = PURPOSE) -> linkage_pb2.NextReviewResponse:
        return call(self.stub.NextReview, linkage_pb2.NextReviewRequest(purpose=purpose, page_token=page_token))

    def decide(self, review_id: str, verdict: Any, purpose: str = PURPOSE) -> linkage_pb2.DecideReviewResponse:
        request = linkage_pb2.DecideReviewRequest(purpose=purpose, review_id=review_id, verdict=verdict)
        return call(self.stub.DecideReview, request)

    def explain(
        self, left: tuple[str, int], right: tuple[str, int], purpose: str = PURPOSE
    ) -> linkage_pb2.ExplainResponse:
        one, other = (core_pb2.SubjectKey(source=source, subject_ref=ref(n)) for source, n in (left, right))
        return call(self.stub.Explain, linkage_pb2.ExplainRequest(purpose=purpose, left=one, right=other))

    def quality(self, purpose: str = PURPOSE, **of: Any) -> linkage_pb2.QualityResponse:
        return call(self.stub.Quality, linkage_pb2.QualityRequest(purpose=purpose, **of))


@pytest.fixture
def open_server(line: Line) -> Iterator[Callable[[], Reviewer]]:
    """Starts a server over the line's registry; a second one stands for a restart."""
    opened: list[tuple[RpcServer, grpc.Channel]] = []

    def start() -> Reviewer:
        server = RpcServer("127.0.0.1:0", [linkage_service(line.registry, shipped_policy())])
        server.start()
        channel = grpc.insecure_channel(server.address)
        opened.append((server, channel))
        return Reviewer(linkage_pb2_grpc.LinkageServiceStub(channel))

    yield start
    for server, channel in opened:
        channel.close()
        server.stop(0)


@pytest.fixture
def reviewer(open_server: Callable[[], Reviewer]) -> Reviewer:
    return open_server()


def refused(kind: type[HwlinkError], reason: Reason, act: Callable[[], object]) -> str:
    """Check that a call is refused so, and return what was said."""
    with pytest.raises(kind) as caught:
        act()
    assert caught.value.reason is reason
    return caught.value.message


# --- reviews


def test_the_most_uncertain_review_comes_first_and_the_token_goes_on(line: Line, reviewer: Reviewer) -> None:
    line.links({(1, 101): -2.0, (2, 102): -0.1, (3, 103): -1.0})
    first = reviewer.next()
    second = reviewer.next(first.next_page_token)
    third = reviewer.next(second.next_page_token)
    assert [r.open_reviews for r in (first, second, third)] == [3, 3, 3]
    assert [r.review.evidence.probability for r in (first, second, third)] == [0.5, 0.25, 0.25]
    assert third.next_page_token == ""
    reviewer.decide(first.review.review_id, UNSURE)
    assert reviewer.next(first.next_page_token).review.evidence == second.review.evidence


def test_a_reviewer_sees_levels_and_weights_and_nothing_that_tells_who_it_is(line: Line, reviewer: Reviewer) -> None:
    line.links({(0xABCDEF, 0x123456): -1.0})
    response = reviewer.next()
    evidence = response.review.evidence
    assert [field.name for field in evidence.fields][: len(COMPARISONS)] == list(COMPARISONS)
    assert {field.level for field in evidence.fields[: len(COMPARISONS)]} == {"exact", "exact_same_sex", "missing"}
    assert evidence.decision == linkage_pb2.LINK_DECISION_REVIEW
    assert evidence.model_id == MODEL.model_id
    said = str(response).lower()
    for secret in ("abcdef", "123456", GP, SHBE):
        assert secret not in said


def test_a_review_is_named_anew_each_time(line: Line, reviewer: Reviewer) -> None:
    line.links({(1, 101): -1.0})
    assert reviewer.next().review.review_id != reviewer.next().review.review_id


def test_without_open_reviews_none_is_handed_out(line: Line, reviewer: Reviewer) -> None:
    response = reviewer.next()
    assert (response.HasField("review"), response.open_reviews, response.next_page_token) == (False, 0, "")


def test_before_the_first_model_there_is_nothing_to_review(tmp_path: Path) -> None:
    registry = open_registry(f"sqlite:///{tmp_path / 'empty.db'}")
    server = RpcServer("127.0.0.1:0", [linkage_service(registry, shipped_policy())])
    server.start()
    try:
        with grpc.insecure_channel(server.address) as channel:
            assert Reviewer(linkage_pb2_grpc.LinkageServiceStub(channel)).next().open_reviews == 0
    finally:
        server.stop(0)
        registry.close()


def test_the_same_links_them_for_good(line: Line, reviewer: Reviewer) -> None:
    line.links({(1, 101): -1.0})
    assert not reviewer.explain((GP, 1), (SHBE, 101)).same_person
    assert reviewer.decide(reviewer.next().review.review_id, SAME).open_reviews == 0
    assert not reviewer.next().HasField("review"), "not asked again while the resolver has yet to act"
    line.resolve()
    told = reviewer.explain((GP, 1), (SHBE, 101))
    assert told.same_person
    assert told.evidence.decision == linkage_pb2.LINK_DECISION_LINK
    assert told.evidence.probability == 1.0
    line.links({(1, 101): -2.5}, versions={101: 2})
    assert reviewer.explain((GP, 1), (SHBE, 101)).same_person, "a decision outlives what it was made on"


def test_different_keeps_them_apart_for_good(line: Line, reviewer: Reviewer) -> None:
    line.links({(1, 101): -1.0})
    reviewer.decide(reviewer.next().review.review_id, DIFFERENT)
    line.links({(1, 101): 9.0}, versions={1: 2})
    told = reviewer.explain((GP, 1), (SHBE, 101))
    assert not told.same_person
    assert told.evidence.decision == linkage_pb2.LINK_DECISION_APART
    assert told.evidence.probability == 0.0


def test_unsure_is_not_asked_again_until_something_changes(
    line: Line, reviewer: Reviewer, open_server: Callable[[], Reviewer]
) -> None:
    line.links({(1, 101): -1.0})
    reviewer.decide(reviewer.next().review.review_id, UNSURE)
    line.resolve()
    assert reviewer.next().open_reviews == 0
    assert not reviewer.explain((GP, 1), (SHBE, 101)).same_person
    restarted = open_server()
    assert restarted.next().open_reviews == 0
    line.links({(1, 101): -1.0}, versions={101: 2})
    assert restarted.next().open_reviews == 1


def test_a_decision_repeated_counts_once_and_another_one_comes_too_late(line: Line, reviewer: Reviewer) -> None:
    line.links({(1, 101): -1.0})
    one, other = reviewer.next().review.review_id, reviewer.next().review.review_id
    reviewer.decide(one, SAME)
    reviewer.decide(one, SAME)
    reviewer.decide(other, SAME)
    refused(InputError, Reason.NOT_FOUND, lambda: reviewer.decide(other, DIFFERENT))
    assert line.registry.resolver.overrides_after(0)[0] == 1


def test_a_review_that_changed_meanwhile_is_not_decided(line: Line, reviewer: Reviewer) -> None:
    line.links({(1, 101): -1.0, (2, 102): -1.0})
    first = reviewer.next()
    second = reviewer.next(first.next_page_token)
    line.links({(1, 101): -1.0}, versions={1: 2})
    line.links({(2, 102): 9.0}, versions={2: 2})
    for stale in (first, second):
        refused(InputError, Reason.NOT_FOUND, lambda stale=stale: reviewer.decide(stale.review.review_id, SAME))
    assert line.registry.resolver.overrides_after(0)[0] == 0


@pytest.mark.parametrize("review_id", ["", "x", "0" * 60, "é"])
def test_an_id_that_this_server_did_not_give_is_none(line: Line, reviewer: Reviewer, review_id: str) -> None:
    refused(InputError, Reason.NOT_FOUND, lambda: reviewer.decide(review_id, SAME))


def test_ids_and_tokens_are_good_for_one_run_and_one_use(
    line: Line, reviewer: Reviewer, open_server: Callable[[], Reviewer]
) -> None:
    line.links({(1, 101): -1.0, (2, 102): -1.0})
    first = reviewer.next()
    restarted = open_server()
    refused(InputError, Reason.NOT_FOUND, lambda: restarted.decide(first.review.review_id, SAME))
    refused(InputError, Reason.PAGE_TOKEN_INVALID, lambda: restarted.next(first.next_page_token))
    refused(InputError, Reason.PAGE_TOKEN_INVALID, lambda: reviewer.next(first.review.review_id))
    refused(InputError, Reason.NOT_FOUND, lambda: reviewer.decide(first.next_page_token, SAME))


def test_a_verdict_must_be_said(line: Line, reviewer: Reviewer) -> None:
    line.links({(1, 101): -1.0})
    review_id = reviewer.next().review.review_id
    unspecified = linkage_pb2.REVIEW_VERDICT_UNSPECIFIED
    refused(InputError, Reason.FIELD_INVALID, lambda: reviewer.decide(review_id, unspecified))


def test_pairs_of_another_model_wait_until_they_are_scored_anew(line: Line, reviewer: Reviewer) -> None:
    line.links({(1, 101): -1.0}, model_id="former-model")
    assert reviewer.next().open_reviews == 0
    refused(StateError, Reason.MODEL_MISMATCH, lambda: reviewer.explain((GP, 1), (SHBE, 101)))


# --- explanations


def test_a_pair_is_explained_alike_whichever_is_named_first(line: Line, reviewer: Reviewer) -> None:
    line.links({(1, 101): 9.0, (2, 102): -1.0})
    told = reviewer.explain((GP, 1), (SHBE, 101))
    assert told == reviewer.explain((SHBE, 101), (GP, 1))
    assert told.same_person
    assert told.evidence.weight_bits == pytest.approx(sum(field.weight_bits for field in told.evidence.fields))
    assert not reviewer.explain((GP, 2), (SHBE, 102)).same_person


def test_everything_by_which_a_pair_was_decided_is_told(line: Line, reviewer: Reviewer) -> None:
    line.links({(1, 101): 9.0}, guard="twin")
    told = reviewer.explain((GP, 1), (SHBE, 101)).evidence
    assert told.guard_reason.startswith("They share surname")
    assert (told.because, bool(told.because_reason)) == ("guard", True)
    assert told.thresholds.link_probability == MODEL.policy.link_probability
    assert told.thresholds.review_probability == MODEL.policy.review_probability
    assert told.thresholds.margin_bits == MODEL.policy.margin_bits
    assert told.fields[-1].running_bits == pytest.approx(told.prior_bits + told.weight_bits)
    forename, middle = told.fields[0], told.fields[2]
    assert forename.weight_bits == pytest.approx(np.log2(forename.m / forename.u), abs=0.06)
    assert not middle.HasField("m")
    assert not middle.HasField("u")
    assert reviewer.next().review.evidence == told, "a reviewer decides on the same evidence"


def test_two_of_one_person_are_explained_through_the_third_who_is_not_named(line: Line, reviewer: Reviewer) -> None:
    line.links({(1, 101): 9.0})
    line.links({(1, 201): 7.0}, right_source=CTR)
    told = reviewer.explain((SHBE, 101), (CTR, 201))
    assert told.same_person
    assert not told.HasField("evidence")
    assert [link.because for link in told.path.links] == ["evidence", "evidence"]
    assert list(told.path.links) == [
        reviewer.explain((SHBE, 101), (GP, 1)).evidence,
        reviewer.explain((GP, 1), (CTR, 201)).evidence,
    ]
    assert list(reviewer.explain((CTR, 201), (SHBE, 101)).path.links) == list(told.path.links)[::-1]
    assert not reviewer.explain((GP, 1), (CTR, 201)).HasField("path")
    for secret in (ref(1), GP):
        assert secret not in str(told)
    event = line.audited("review.explain")[0]
    assert set(event.detail) == {"left_serial", "right_serial"}


def test_a_link_that_a_reviewer_made_stands_on_the_way_without_evidence(line: Line, reviewer: Reviewer) -> None:
    line.links({(1, 101): -1.0})
    reviewer.decide(reviewer.next().review.review_id, SAME)
    line.resolve()
    told = reviewer.explain((GP, 1), (SHBE, 101))
    assert (told.evidence.because, told.evidence.probability) == ("reviewer", 1.0)
    line.links({(1, 201): 7.0}, right_source=CTR, versions={1: 2})
    path = reviewer.explain((SHBE, 101), (CTR, 201)).path.links
    assert [link.because for link in path] == ["reviewer", "evidence"]


def test_what_is_not_kept_is_answered_alike_whether_the_subjects_exist_or_not(line: Line, reviewer: Reviewer) -> None:
    line.links({(1, 101): -1.0, (2, 102): -1.0})
    below = refused(InputError, Reason.NOT_FOUND, lambda: reviewer.explain((GP, 1), (SHBE, 102)))
    unknown = refused(InputError, Reason.NOT_FOUND, lambda: reviewer.explain((GP, 1), (SHBE, 999)))
    assert below == unknown


def test_two_different_subjects_must_be_named(line: Line, reviewer: Reviewer) -> None:
    refused(InputError, Reason.FIELD_INVALID, lambda: reviewer.explain((GP, 1), (GP, 1)))
    refused(InputError, Reason.FIELD_INVALID, lambda: reviewer.explain(("", 1), (GP, 1)))


# --- entitlement and audit


@pytest.mark.parametrize("purpose", ["planning", "segmentation", "", "nobody-knows-9434765919"])
def test_only_an_entitled_purpose_sees_evidence(line: Line, reviewer: Reviewer, purpose: str) -> None:
    line.links({(1, 101): -1.0})
    review_id = reviewer.next().review.review_id
    for act in (
        lambda: reviewer.next(purpose=purpose),
        lambda: reviewer.decide(review_id, SAME, purpose=purpose),
        lambda: reviewer.explain((GP, 1), (SHBE, 101), purpose=purpose),
    ):
        refused(PolicyError, Reason.PURPOSE_NOT_PERMITTED, act)
    assert line.registry.resolver.overrides_after(0)[0] == 0


def test_every_call_is_audited_refusals_too_and_without_any_value(line: Line, reviewer: Reviewer) -> None:
    line.links({(0xABCDEF, 0x123456): -1.0})
    reviewer.decide(reviewer.next().review.review_id, SAME)
    reviewer.explain((GP, 0xABCDEF), (SHBE, 0x123456))
    refused(PolicyError, Reason.PURPOSE_NOT_PERMITTED, lambda: reviewer.next(purpose="nobody-knows-9434765919"))
    asked = [(e.principal, e.purpose, e.outcome) for e in line.audited("review.next")]
    assert asked == [("local", PURPOSE, "done"), ("local", "unknown", "refused")]
    assert line.audited("review.next")[1].detail == {"reason": "PURPOSE_NOT_PERMITTED"}
    [decided] = line.audited("review.decide")
    assert (decided.outcome, decided.detail["verdict"]) == ("done", "same")
    [explained] = line.audited("review.explain")
    assert explained.detail.keys() == {"left_serial", "right_serial"}
    everything = json.dumps([[e.purpose, dict(e.detail)] for _, e, _ in line.registry.query.audit_events()])
    for secret in ("abcdef", "123456", "9434765919"):
        assert secret not in everything.lower()


def test_an_override_and_its_audit_event_are_one_transaction(line: Line, reviewer: Reviewer) -> None:
    line.links({(1, 101): -1.0})
    reviewer.decide(reviewer.next().review.review_id, DIFFERENT)
    [event] = line.audited("review.decide")
    overrides = line.registry.resolver.neighbourhood(pl.Series([int(event.detail["left_serial"])])).overrides
    assert overrides.to_dicts() == [{"left_serial": 1, "right_serial": 2, "kind": "cannot_link"}]


# --- quality


def publish(line: Line, number: int, health_only: int, welfare_only: int, both: int, neither: int = 0) -> State:
    """Publish a snapshot of so many people in each feed; return it as the query service holds it."""
    parts = [
        pl.DataFrame(
            {
                **{name: pl.Series([None], dtype=pl.String) for name in SUBGROUPS},
                "in_health": [health],
                "in_welfare": [welfare],
                "linked": [health and welfare],
            }
        ).select(pl.all().repeat_by(pl.lit(count)).explode(empty_as_null=False))
        for count, health, welfare in (
            (health_only, True, False),
            (welfare_only, False, True),
            (both, True, True),
            (neither, False, False),
        )
    ]
    people = pl.concat(parts)
    snapshot = Snapshot(
        snapshot_id=f"2026-06-30.{number}",
        published_at_ms=number,
        as_of=date(2026, 6, 30),
        tables={},
        model_id=MODEL.model_id,
        positions={},
        summary_json=summary_json(people),
    )
    line.registry.features.publish_snapshot(snapshot, {}, number)
    return State(snapshot, people, Freezes(DeltaZone(Path("nowhere"), "products")))


def numbers(response: linkage_pb2.QualityResponse) -> dict[int, tuple[int | None, int | None]]:
    """People and linked by feed; None where withheld."""

    def told(count: core_pb2.ReleasedCount) -> int | None:
        assert count.suppressed != count.HasField("value")
        return count.value if count.HasField("value") else None

    return {cast(int, group.feed): (told(group.subjects), told(group.linked)) for group in response.groups}


def test_without_a_snapshot_there_is_no_quality(line: Line, reviewer: Reviewer) -> None:
    refused(StateError, Reason.NO_SNAPSHOT, reviewer.quality)


def test_link_rates_in_both_directions(line: Line, reviewer: Reviewer) -> None:
    publish(line, 1, 402, 31, 101)
    response = reviewer.quality()
    assert numbers(response) == {HEALTH: (505, 100), WELFARE: (130, 100)}
    assert (response.snapshot_id, response.model_id) == ("2026-06-30.1", MODEL.model_id)
    assert response.policy_id == shipped_policy().policy_id
    for group in response.groups:
        assert group.group == ""
        assert not group.HasField("unlinkable")
        assert group.HasField("recall")
        assert not group.recall.HasField("value")


@pytest.mark.parametrize(
    "counts", [(402, 31, 101, 0), (402, 3, 101, 0), (400, 4, 60, 7), (5, 80, 4, 0), (0, 50, 50, 0), (12, 12, 12, 12)]
)
def test_the_numbers_are_those_beside_every_answer_of_the_query_service(
    line: Line, reviewer: Reviewer, counts: tuple[int, int, int, int]
) -> None:
    """Two ways of protecting one number would together say more than either."""
    state = publish(line, 1, *counts)
    answer = linkage(state, shipped_policy())
    released = [int(number) if may else None for number, may in zip(answer.numbers, answer.permitted, strict=True)]
    told = dict(zip(("linked", "health", "welfare"), released, strict=True))
    assert numbers(reviewer.quality()) == {
        HEALTH: (told["health"], told["linked"]),
        WELFARE: (told["welfare"], told["linked"]),
    }


def test_small_counts_are_withheld(line: Line, reviewer: Reviewer) -> None:
    publish(line, 1, 402, 31, 6)
    assert {linked for _, linked in numbers(reviewer.quality()).values()} == {None}


def test_quality_is_paged(line: Line, reviewer: Reviewer) -> None:
    publish(line, 1, 402, 31, 101)
    first = reviewer.quality(page_size=1)
    second = reviewer.quality(page_size=1, page_token=first.next_page_token)
    assert [*first.groups, *second.groups] == [*reviewer.quality().groups]
    assert second.next_page_token == ""
    token = first.next_page_token
    refused(
        InputError,
        Reason.PAGE_TOKEN_INVALID,
        lambda: reviewer.quality(snapshot_id="2026-06-30.1", page_size=1, page_token=token),
    )


def test_an_older_snapshot_answers_as_it_did(line: Line, reviewer: Reviewer) -> None:
    publish(line, 1, 400, 30, 100)
    before = numbers(reviewer.quality())
    publish(line, 2, 500, 40, 200)
    assert numbers(reviewer.quality(snapshot_id="2026-06-30.1")) == before
    assert numbers(reviewer.quality()) != before
    refused(InputError, Reason.NOT_FOUND, lambda: reviewer.quality(snapshot_id="2026-06-30.9"))


def test_expected_precision_is_the_mean_probability_of_the_links_made(line: Line, reviewer: Reviewer) -> None:
    open_stream = line.registry.ingest.open_stream
    open_stream("s1", GP, "health", "{}")
    open_stream("s2", SHBE, "welfare", "{}")
    line.links({(n, 100 + n): 3.0 for n in range(1, 13)} | {(50, 150): -1.0, (51, 151): -1.0})
    publish(line, 1, 100, 100, 100)
    response = reviewer.quality()
    for group in response.groups:
        assert group.precision.value == pytest.approx(8 / 9, abs=0.001)
        assert not group.precision.HasField("low")
    assert response.reviews_per_10000 == pytest.approx(10_000 * 2 / 28, abs=0.1)
    publish(line, 2, 100, 100, 100)
    older = reviewer.quality(snapshot_id="2026-06-30.1")
    assert not any(group.precision.HasField("value") for group in older.groups), "probabilities are those of now"


def test_precision_of_too_few_links_is_not_told(line: Line, reviewer: Reviewer) -> None:
    line.registry.ingest.open_stream("s1", GP, "health", "{}")
    line.links({(1, 101): 3.0})
    publish(line, 1, 100, 100, 100)
    assert not any(group.precision.HasField("value") for group in reviewer.quality().groups)


def test_counts_of_subgroups_are_left_to_the_query_service_whose_ledger_knows_what_was_told(
    line: Line, reviewer: Reviewer
) -> None:
    publish(line, 1, 1_000, 200, 900)
    groups = list(reviewer.quality(by="imd_decile").groups)

    assert [(group.group, group.feed) for group in groups] == [("missing", HEALTH), ("missing", WELFARE)]
    assert all(group.subjects.suppressed and group.linked.suppressed for group in groups)
    assert [group.link_rate for group in groups] == [0.47, 0.82]
    said = refused(InputError, Reason.OPTION_INVALID, lambda: reviewer.quality(by="has_asthma"))
    assert "query service" in said


@pytest.mark.parametrize("counts", [(500, 499, 400), (1_000, 100, 9), (5, 0, 1_000)])
def test_no_rate_is_told_of_a_group_in_which_few_stand_on_either_side(
    line: Line, reviewer: Reviewer, counts: tuple[int, int, int]
) -> None:
    publish(line, 1, *counts)

    assert not any(group.HasField("link_rate") for group in reviewer.quality(by="authority").groups)


def test_recall_and_intervals_need_a_fitted_model_and_links_enough(line: Line, reviewer: Reviewer) -> None:
    """Links of 8/9 each; ten pairs of 1/3 are not linked, and the fit says that 2 % leave no pair."""
    line.registry.ingest.open_stream("s1", GP, "health", "{}")
    line.registry.ingest.open_stream("s2", SHBE, "welfare", "{}")
    line.links({(n, 1_000 + n): 3.0 for n in range(1, 121)} | {(n, 1_000 + n): -1.0 for n in range(500, 510)})
    publish(line, 1, 100, 100, 100)

    assert not any(group.recall.HasField("value") for group in reviewer.quality().groups), "MODEL was not fitted"

    session = Session(name="names", pairs=200, expected_matches=120, iterations=3, converged=True, used=True)
    reckoned = ExpectedMatches(left_source=GP, right_source=SHBE, matches=125, low=115, high=135)
    report = FitReport(seed=1, subjects=260, random_pairs=10, sessions=(session,), expected=(reckoned,), unemitted=0.02)
    sums = line.registry.resolver.match_sums()
    sums = between_feeds(sums, {GP: "health", SHBE: "welfare"})
    recall = recall_of(sums, MODEL.model_copy(update={"report": report}))

    true = 120 * 8 / 9
    missed = 10 / 3 + (true + 10 / 3) * 0.02 / 0.98
    assert recall.value == pytest.approx(true / (true + missed), abs=0.001)
    assert recall.low is not None
    assert recall.high is not None
    assert recall.low < recall.value < recall.high


def fitted(line: Line) -> MatchModel:
    """Return MODEL as a fit would leave it: with sessions, and what it reckons of both sources."""
    session = Session(name="names", pairs=200, expected_matches=120, iterations=3, converged=True, used=True)
    reckoned = ExpectedMatches(left_source=GP, right_source=SHBE, matches=1_250, low=1_150, high=1_350)
    report = FitReport(
        seed=1,
        subjects=260,
        random_pairs=10,
        sessions=(session,),
        expected=(reckoned,),
        unemitted=0.02,
        unlinkable={GP: 0.012, SHBE: 0.051},
    )
    model = MODEL.model_copy(update={"report": report})
    line.registry.ingest.open_stream("s1", GP, "health", "{}")
    line.registry.ingest.open_stream("s2", SHBE, "welfare", "{}")
    return model


def test_thresholds_sources_and_the_unlinkable_are_told_without_any_count(line: Line) -> None:
    """1,200 links of 8/9 and 100 of 0.999, and 100 pairs of 2/5 apart; all of them pairs of two who have no other."""
    model = fitted(line)
    line.links(
        {(n, 5_000 + n): 3.0 for n in range(1, 1_201)}
        | {(n, 5_000 + n): 10.0 for n in range(2_001, 2_101)}
        | {(n, 5_000 + n): -0.585 for n in range(3_001, 3_101)}
    )
    subjects = {GP: 1_400, SHBE: 1_400}
    held = replace(Linkage.read(line.registry, shipped_policy(), subjects), model=model)

    at = {each.link_probability: each for each in held.thresholds()}
    assert [at[p].name for p in (LOOSE, model.policy.link_probability, STRICT)] == ["loose", "default", "strict"]
    assert at[model.policy.link_probability].links_ratio == 1
    assert at[STRICT].links_ratio == pytest.approx(100 / 1_300, abs=0.005)
    assert at[LOOSE].links_ratio == pytest.approx(1_400 / 1_300, abs=0.005)
    values = [each.precision.value for each in held.thresholds() if each.precision.value is not None]
    assert values == sorted(values)
    told = held.of(frozenset({SHBE}), None)
    assert told["unlinkable_rate"] == 0.05
    assert told["precision"].value == pytest.approx((1_200 * 8 / 9 + 100 * 0.999) / 1_300, abs=0.001)
    assert told["recall"] == held.of(frozenset({SHBE}), Feed.WELFARE)["recall"]
    few = replace(held, subjects={GP: 999, SHBE: 1_400})
    assert few.of(frozenset({GP}), None)["unlinkable_rate"] is None


def test_sources_are_told_of_by_name_with_their_counts_withheld(line: Line, reviewer: Reviewer) -> None:
    fitted(line)
    line.links({(n, 100 + n): 3.0 for n in range(1, 13)})
    publish(line, 1, 1_000, 200, 900)
    groups = list(reviewer.quality(by="source").groups)

    assert [(group.group, group.feed) for group in groups] == [(GP, HEALTH), (SHBE, WELFARE)]
    assert all(group.subjects.suppressed and group.linked.suppressed for group in groups)
    assert all(group.precision.HasField("value") for group in groups)
    assert not any(group.HasField("unlinkable_rate") for group in groups), "MODEL was not fitted"


def test_quality_needs_a_purpose_that_permits_counts(line: Line, reviewer: Reviewer) -> None:
    publish(line, 1, 100, 100, 100)
    refused(PolicyError, Reason.PURPOSE_NOT_PERMITTED, lambda: reviewer.quality(purpose="nothing"))
    assert numbers(reviewer.quality(purpose="planning"))
    outcomes = [(e.purpose, e.outcome) for e in line.audited("review.quality")]
    assert outcomes == [("unknown", "refused"), ("planning", "done")]
