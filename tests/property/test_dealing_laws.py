"""Shards are dealt evenly, alike by everybody, and with as few moves as that takes."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.matcher.dealing import shares

NAMES = st.sampled_from([f"worker-{n}" for n in range(6)])
MEMBERS = st.lists(NAMES, unique=True, min_size=1)
OWNERS = st.dictionaries(st.integers(0, 70), NAMES | st.just(""))


@given(owners=OWNERS, members=MEMBERS, shards=st.integers(1, 64))
def test_shares_are_even_whole_and_dealt_again_alike(owners: dict[int, str], members: list[str], shards: int) -> None:
    dealt = shares(owners, members, shards)
    assert sorted(dealt) == list(range(shards))
    sizes = Counter(dealt.values())
    each = [sizes[member] for member in members]
    assert set(dealt.values()) <= set(members)
    assert max(each) - min(each) <= 1
    assert shares(dealt, members, shards) == dealt


@given(owners=OWNERS, members=MEMBERS, shards=st.integers(1, 64))
def test_no_shard_moves_that_could_stay(owners: dict[int, str], members: list[str], shards: int) -> None:
    dealt = shares(owners, members, shards)
    stayed = sum(owners.get(shard) == member for shard, member in dealt.items())
    held = sorted((sum(owners.get(s) == m for s in range(shards)) for m in members), reverse=True)
    least, over = divmod(shards, len(members))
    assert stayed == sum(min(held[place], least + (place < over)) for place in range(len(members)))


@given(members=MEMBERS, shards=st.integers(1, 64), gone=st.integers(0, 5))
def test_only_a_dead_workers_shards_move(members: list[str], shards: int, gone: int) -> None:
    dealt = shares({}, members, shards)
    dead = members[gone % len(members)]
    left = [member for member in members if member != dead]
    after = shares(dealt, left, shards)
    if left:
        assert {s: m for s, m in dealt.items() if m != dead}.items() <= after.items()
    else:
        assert after == {}


@given(members=st.lists(NAMES, unique=True, min_size=2), shards=st.integers(1, 64))
def test_who_joins_gets_a_share_and_nobody_else_gains(members: list[str], shards: int) -> None:
    *first, newest = members
    dealt = shares({}, first, shards)
    after = shares(dealt, members, shards)
    moved = {shard for shard in dealt if after[shard] != dealt[shard]}
    assert {after[shard] for shard in moved} <= {newest}
    assert len(moved) == list(after.values()).count(newest) <= -(-shards // len(members))
