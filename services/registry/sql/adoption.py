"""What an adoption keeps beside the model in force, and the one transaction that puts the candidate in its place."""

from __future__ import annotations

import json
from collections.abc import Mapping

import polars as pl
from sqlalchemy import Connection, func, insert, select, update

from schemas.errors import Reason, StateError
from services.registry import PAIR_COLUMNS, SUBJECT_COLUMNS, AuditEvent, PublishedTransaction
from services.registry.adoption import (
    CANDIDATE_COLUMNS,
    OPEN,
    Adoption,
    AdoptionState,
    CandidateState,
    CandidateStep,
    ModelsInUse,
    ModelSwitch,
)
from services.registry.sql.database import Database, take_turn, to_json
from services.registry.sql.fetching import frame, large_frame, matching
from services.registry.sql.models import document, forget_candidate, forget_shards, in_use, open_adoption, to_adoption
from services.registry.sql.query import append_audit
from services.registry.sql.reach import DATED_OVERRIDES, overrides_in_force
from services.registry.sql.resolver import PAIR_KEY, change_subjects, move_state, publish, retire
from services.registry.sql.storing import delete_rows, insert_rows, update_rows
from services.registry.sql.tables import (
    adoptions,
    candidate_moves,
    candidate_pairs,
    candidate_roster,
    models,
    overrides,
    pairs,
    persons,
    roster,
    shards,
)

_DECIDED = pl.Schema({"left_serial": pl.Int64(), "right_serial": pl.Int64(), "decision": pl.String()})
_WOULD_MOVE = pl.Schema(dict.fromkeys(("source", "subject_ref", "person_id", "person_id_then"), pl.String()))


class SqlAdoptionRegistry:
    """`AdoptionRegistry` over SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def in_use(self) -> ModelsInUse:
        """See `AdoptionRegistry.in_use`."""
        with self._database.reading() as connection:
            return in_use(connection)

    def document(self, model_id: str) -> str:
        """See `AdoptionRegistry.document`."""
        with self._database.reading() as connection:
            return document(connection, model_id)

    def adoption(self, serial: int) -> Adoption:
        """See `AdoptionRegistry.adoption`."""
        with self._database.reading() as connection:
            return _adoption(connection, serial)

    def begin(self, model_id: str, document: str, event: AuditEvent) -> Adoption:
        """See `AdoptionRegistry.begin`."""
        with self._database.writing() as connection:
            take_turn(connection, "models")
            active = connection.execute(select(models.c.model_id).where(models.c.active)).scalar_one_or_none()
            held = open_adoption(connection, lock=True)
            if active in (None, model_id):
                why = "is in force already" if active else "cannot be adopted before the matcher has started once"
                raise StateError(Reason.MODEL_MISMATCH, f"Model {model_id} {why}; see `hwlink model list`.")
            if held is None:
                return _begun(connection, str(active), model_id, document, event)
            if held.model_id != model_id:
                raise StateError(
                    Reason.MODEL_MISMATCH,
                    f"Model {held.model_id} is being adopted; go on with it, or end that with `hwlink model abandon`.",
                )
            if held.state is AdoptionState.READY:
                _note(connection, held.serial, AdoptionState.PREPARING)
            return _adoption(connection, held.serial)

    def confirm(self, serial: int, event: AuditEvent) -> None:
        """See `AdoptionRegistry.confirm`."""
        with self._database.writing() as connection:
            held = _adoption(connection, serial, lock=True)
            if held.state is AdoptionState.READY:
                _note(connection, serial, AdoptionState.CONFIRMED)
                append_audit(connection, event)
            elif held.state not in (AdoptionState.CONFIRMED, AdoptionState.SWITCHED):
                raise StateError(
                    Reason.MODEL_MISMATCH,
                    f"The adoption of {held.model_id} is {held.state}, not ready; ask for it again with "
                    "`hwlink model adopt`.",
                )

    def abandon(self, serial: int, event: AuditEvent) -> None:
        """See `AdoptionRegistry.abandon`."""
        with self._database.writing() as connection:
            take_turn(connection, "models")
            held = _adoption(connection, serial, lock=True)
            if held.state is AdoptionState.SWITCHED:
                raise StateError(
                    Reason.MODEL_MISMATCH,
                    f"Model {held.model_id} is in force already; adopt the former one to go back to it.",
                )
            if held.state in OPEN:
                _note(connection, serial, AdoptionState.ABANDONED)
                forget_candidate(connection)
                forget_shards(connection, held.model_id)
                append_audit(connection, event)

    def would_move(self) -> pl.DataFrame:
        """See `AdoptionRegistry.would_move`."""
        now, then = persons.alias("now"), persons.alias("then")
        statement = (
            select(
                roster.c.source,
                roster.c.subject_ref,
                now.c.person_id,
                then.c.person_id.label("person_id_then"),
            )
            .join_from(candidate_moves, roster, candidate_moves.c.serial == roster.c.serial)
            .join(now, roster.c.person == now.c.serial, isouter=True)
            .join(then, candidate_moves.c.person == then.c.serial, isouter=True)
            .order_by(candidate_moves.c.serial)
        )
        with self._database.reading() as connection:
            return frame(connection, statement, _WOULD_MOVE)

    def subjects(self, keys: pl.DataFrame) -> pl.DataFrame:
        """See `AdoptionRegistry.subjects`."""
        found = [pl.DataFrame(schema=SUBJECT_COLUMNS)]
        with self._database.reading() as connection:
            for (source,), group in keys.unique().partition_by("source", as_dict=True).items():
                found.append(
                    matching(
                        connection, roster.c.subject_ref, group["subject_ref"], SUBJECT_COLUMNS, source=str(source)
                    )
                )
            known = pl.concat(found)
            shown = matching(connection, candidate_roster.c.serial, known["serial"], CANDIDATE_COLUMNS)
        return as_shown(known, shown)

    def pairs(self, left: pl.Series) -> pl.DataFrame:
        """See `AdoptionRegistry.pairs`."""
        with self._database.reading() as connection:
            return matching(connection, candidate_pairs.c.left_serial, left.unique(), PAIR_COLUMNS)

    def hear(self, step: CandidateStep) -> None:
        """See `AdoptionRegistry.hear`."""
        with self._database.writing() as connection:
            held = open_adoption(connection, lock=True)
            is_open = held is not None and held.serial == step.adoption
            # Serials that were given out to subjects which are not written stay unused.
            move_state(connection, step.before, step.after)
            if not is_open:
                return
            insert_rows(connection, roster, step.subjects_added)
            delete_rows(connection, candidate_pairs, step.pairs.select(PAIR_KEY))
            insert_rows(connection, candidate_pairs, step.pairs)
            known = matching(connection, candidate_roster.c.serial, step.shown["serial"], CANDIDATE_COLUMNS)["serial"]
            was_shown = pl.col("serial").is_in(known.implode())
            update_rows(connection, candidate_roster, step.shown.filter(was_shown), ["serial"])
            insert_rows(connection, candidate_roster, step.shown.filter(~was_shown))

    def candidate_state(self) -> CandidateState:
        """See `AdoptionRegistry.candidate_state`."""
        with self._database.reading() as connection:
            return CandidateState(
                roster=large_frame(connection, select(*(roster.c[name] for name in SUBJECT_COLUMNS)), SUBJECT_COLUMNS),
                shown=large_frame(
                    connection, select(*(candidate_roster.c[name] for name in CANDIDATE_COLUMNS)), CANDIDATE_COLUMNS
                ),
                pairs=large_frame(
                    connection, select(*(candidate_pairs.c[name] for name in PAIR_COLUMNS)), PAIR_COLUMNS
                ),
                overrides=overrides_in_force(
                    large_frame(connection, select(*(overrides.c[name] for name in DATED_OVERRIDES)), DATED_OVERRIDES)
                ),
                decided=large_frame(connection, select(*(pairs.c[name] for name in _DECIDED)), _DECIDED),
            )

    def ready(self, serial: int, moves: pl.DataFrame, preview: Mapping[str, int]) -> None:
        """See `AdoptionRegistry.ready`."""
        with self._database.writing() as connection:
            held = open_adoption(connection, lock=True)
            if held is None or held.serial != serial or held.state is not AdoptionState.PREPARING:
                return
            connection.execute(candidate_moves.delete())
            insert_rows(connection, candidate_moves, moves)
            values = {"state": AdoptionState.READY.value, "preview": to_json(preview)}
            connection.execute(update(adoptions).where(adoptions.c.serial == serial).values(values))

    def switch(self, switch: ModelSwitch) -> bool:
        """See `AdoptionRegistry.switch`."""
        with self._database.writing() as connection:
            take_turn(connection, "models")
            held = open_adoption(connection, lock=True)
            if held is None or held.serial != switch.adoption or held.state is not AdoptionState.CONFIRMED:
                return False
            move_state(connection, switch.before, switch.after)
            insert_rows(connection, persons, switch.persons_added.with_columns(pl.lit(False).alias("retired")))
            change_subjects(connection, switch.subjects_changed)
            retire(connection, switch.persons_retired)
            connection.execute(pairs.delete())
            insert_rows(connection, pairs, switch.pairs)
            publish(connection, *switch.transactions)

            former = in_use(connection).active
            connection.execute(update(models).values(active=models.c.model_id == held.model_id))
            forget_candidate(connection)
            if former is not None:
                forget_shards(connection, former)
            _note(connection, held.serial, AdoptionState.SWITCHED)
            append_audit(connection, _switched(held.model_id, former, switch.transactions))
            return True


def as_shown(known: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """Return known subjects (SUBJECT_COLUMNS) with what the candidate's shards have shown (CANDIDATE_COLUMNS)."""
    unseen = {"version": -1, "withdrawn": False, "content_hash": 0, "one_record_per_person": False, "passed": 0}
    placed = ("serial", "source", "subject_ref", "person", "link_probability")
    joined = known.select(placed).join(shown, on="serial", how="left")
    filled = joined.with_columns(pl.col(name).fill_null(value) for name, value in unseen.items())
    return filled.select(pl.col(name).cast(dtype) for name, dtype in SUBJECT_COLUMNS.items())


def _begun(connection: Connection, active: str, model_id: str, text: str, event: AuditEvent) -> Adoption:
    known = connection.execute(select(models.c.model_id).where(models.c.model_id == model_id)).scalar_one_or_none()
    if known is None:
        connection.execute(insert(models).values(model_id=model_id, document=text, active=False))
    serial = int(connection.execute(select(func.coalesce(func.max(adoptions.c.serial), 0))).scalar_one()) + 1
    target: dict[str, int] = {}
    for (position,) in connection.execute(select(shards.c.position).where(shards.c.model_id == active)):
        for name, offset in json.loads(position).items():
            target[name] = max(offset, target.get(name, 0))
    state = AdoptionState.PREPARING.value
    connection.execute(
        insert(adoptions).values(
            serial=serial, model_id=model_id, state=state, target=to_json(target), preview=to_json({})
        )
    )
    append_audit(connection, event)
    return _adoption(connection, serial)


def _adoption(connection: Connection, serial: int, *, lock: bool = False) -> Adoption:
    statement = select(adoptions).where(adoptions.c.serial == serial)
    row = connection.execute(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise StateError(Reason.STORE_MISSING, "There is no such adoption; begin one with `hwlink model adopt`.")
    return to_adoption(row)


def _note(connection: Connection, serial: int, state: AdoptionState) -> None:
    connection.execute(update(adoptions).where(adoptions.c.serial == serial).values(state=state.value))


def _switched(model_id: str, former: str | None, transactions: tuple[PublishedTransaction, ...]) -> AuditEvent:
    changes = sum(transaction.changes for transaction in transactions)
    detail = {"model_id": model_id, "former_model_id": former or "", "changes": str(changes)}
    return AuditEvent("resolver", "operation", "model.switch", "done", detail)
