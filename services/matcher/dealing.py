"""Which worker should have which shard: evenly, and with as few moves as that takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def shares(owners: Mapping[int, str], members: Sequence[str], shards: int) -> dict[int, str]:
    """Return the member that each of the shards 0 to `shards` - 1 should have; nothing when there are no members.

    No two members' shares differ by more than one shard. A member keeps what it has, its lowest shards first, up to its
    share; where the shares cannot be equal, those who hold most, and of equals those who joined first, have one more.
    `owners` says who has which shard now, `members` who is alive, in the order of joining. A pure function of both:
    every worker that sees the same deals the same, and what was dealt is dealt again.
    """
    if not members:
        return {}
    held = {member: [s for s in range(shards) if owners.get(s) == member] for member in members}
    least, over = divmod(shards, len(members))
    largest_first = sorted(members, key=lambda member: -len(held[member]))
    quota = {member: least + (place < over) for place, member in enumerate(largest_first)}
    dealt = {s: member for member in members for s in held[member][: quota[member]]}
    short = (m for m in largest_first for _ in range(quota[m] - len(held[m][: quota[m]])))
    free = (s for s in range(shards) if s not in dealt)
    return dict(sorted((dealt | dict(zip(free, short, strict=True))).items()))
