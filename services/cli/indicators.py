"""`hwlink indicators`: figures of areas, from published files and from safe answers of the query service."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from services.cli.query import DEFAULT_ADDRESS, WITHHELD, Snapshot, To

if TYPE_CHECKING:
    import polars as pl

    from schemas.indicators import IndicatorRecord
    from services.query.client import CohortClient

AsJson = Annotated[bool, typer.Option("--json", help="Report as JSON.")]
Store = Annotated[Path, typer.Option("--store", help="The reference store's folder.", metavar="DIR")]

_AREAS = {"place": "place", "pcn": "pcn_code"}
_SEARCHED: Final = {
    "asthma": ("prio_group_asthma", "prio_reviewed_asthma"),
    "copd": ("prio_group_copd_supplied", "prio_reviewed_copd"),
    "diabetes": ("prio_group_dm_supplied", "prio_reviewed_dm"),
    "hypertension": ("prio_group_htn_supplied", "prio_reviewed_htn"),
}
"""Conditions of risk stratification: the group that a search of the GP system supplied, and whether it was reviewed."""
_AGES: Final = ("age_band", "life_stage")
"""Bands of age that rates may be standardised by, finest first; always with sex."""


def register(app: typer.Typer) -> None:
    """Add the command group `indicators`."""
    group = typer.Typer(help="Figures of areas: fair shares, comparison with England, rates.", no_args_is_help=True)
    group.command("list")(listed)
    group.command("fair-share")(fair_share)
    group.command("rag")(rag)
    group.command("rates")(rates)
    group.command("progress")(progress)
    app.add_typer(group, name="indicators")


def listed(as_json: AsJson = False) -> None:
    """List the indicators that a record may be of, and what a higher value means."""
    from schemas.indicators import INDICATORS

    if as_json:
        _print_json([indicator.model_dump() for indicator in INDICATORS.values()])
        return
    for indicator in INDICATORS.values():
        typer.echo(f"{indicator.indicator_id:<36} {indicator.title}; higher is {indicator.higher_is}")


def fair_share(
    store: Store,
    by: Annotated[str, typer.Option(help="What to share among: place or pcn.")] = "place",
    component: Annotated[
        str, typer.Option(help="Component of need, or all; with --amount also head_count to divide by.")
    ] = "all",
    amount: Annotated[str | None, typer.Option(help="Pounds to divide, such as 5950000.", metavar="POUNDS")] = None,
    icb: Annotated[str | None, typer.Option(help="Integrated care board that shares, such as QKS.")] = None,
    as_json: AsJson = False,
) -> None:
    """Share by head count and by need: each area's part of the whole, its index, and its part of a sum.

    Needs weighted populations in the store; by place also which network is in which place.
    """
    from linkage.indicators.fair_share import BASES, HEAD_COUNT
    from linkage.indicators.fair_share import allocation as divide
    from linkage.indicators.fair_share import fair_share as share
    from linkage.reference.kinds import COMPONENTS

    if by not in _AREAS:
        raise _wrong(f"Share by one of: {', '.join(_AREAS)}.")
    if component not in ("all", *BASES):
        raise _wrong(f"There is no such component of need; there are: all, {', '.join(BASES)}.")
    if amount is not None and component == "all":
        raise _wrong("Name by --component what to divide the amount by; that decides who gets how much.")
    practices, version = _practices(store, icb)
    shares = share(practices, _AREAS[by], tuple(COMPONENTS) if component in ("all", HEAD_COUNT) else (component,))
    if component == HEAD_COUNT:
        shares = shares.filter(shares["component"] == "overall")
    divided = None if amount is None else divide(shares, _pence(amount), component)
    rows = shares.to_dicts() if divided is None else _with_amounts(shares, divided)
    if as_json:
        _print_json({"reference": version, "by": by, "basis": component, "shares": rows})
        return
    for row in rows:
        shown = f"{row['area'] or '(none)':<24} {row['component']:<20} {row['practices']:>5} practices"
        shown += f"  head count {row['head_count_share']:8.2%}  weighted {row['weighted_share']:8.2%}"
        shown += f"  index {row['index'] or Decimal(0):6.3f}"
        if divided is not None:
            shown += f"  £{Decimal(row['amount_pence']) / 100:,.2f} by {component}"
        typer.echo(shown)
    typer.echo(f"Reference data {version}.")


def rag(
    file: Annotated[Path, typer.Argument(help="CSV of indicator records; one row an indicator and area.")],
    as_json: AsJson = False,
) -> None:
    """Score an area's indicators beside England, worst first: three for today's comparison, one for each trend."""
    from linkage.indicators.comparison import ranked

    scored = ranked(_records(file))
    if as_json:
        _print_json([{**record.model_dump(mode="json"), "score": points} for record, points in scored])
        return
    for record, points in scored:
        typer.echo(
            f"{points:>3}  {record.indicator_id:<36} {record.area:<24} {record.period_label:<20} "
            f"2021 {record.rag_2021 or '-':<8} 2023 {record.rag_2023}"
        )


def rates(
    where: Annotated[str, typer.Option(help="Filter of the people to count, such as emergency_admissions_12m >= 1.")],
    by: Annotated[str, typer.Option(help="One to three features to compare by, such as place,sex_code.")] = "authority",
    among: Annotated[str, typer.Option(help="Filter of the people at risk; without it, everybody.")] = "",
    standardise: Annotated[
        bool,
        typer.Option(help="Also set one feature's values beside what the whole's rates by age and sex would give."),
    ] = False,
    ages: Annotated[
        str, typer.Option(help="Bands to standardise by: age_band, or life_stage, which fewer people fill.")
    ] = _AGES[0],
    to: To = DEFAULT_ADDRESS,
    purpose: Annotated[str, typer.Option(help="Id of the purpose under which you ask.")] = "planning",
    snapshot: Snapshot = None,
    as_json: AsJson = False,
) -> None:
    """People per thousand by area or subgroup, from the query service's rounded counts; small ones are withheld."""
    from linkage.indicators.rates import crude_rates
    from services.query.client import CohortClient

    names = [name.strip() for name in by.split(",") if name.strip()]
    if standardise and len(names) != 1:
        raise _wrong("Rates are standardised by one feature at a time; name one by --by.")
    if ages not in _AGES:
        raise _wrong(f"Standardise by one of: {', '.join(_AGES)}.")
    both = f"({among}) AND ({where})" if among.strip() else where
    with CohortClient(to, purpose) as client:
        at_risk = client.table(names, where=among, snapshot=snapshot)
        asked = at_risk.context.snapshot_id
        people = client.table(names, where=both, snapshot=asked)
        found = crude_rates(people.cells, at_risk.cells, names)
        ratios = _ratios(client, by, (ages, "sex_code"), among, both, asked) if standardise else None
    report = {"by": names, "snapshot_id": asked, "reference": at_risk.context.reference_version}
    if as_json:
        told = (
            {}
            if ratios is None
            else {"standard": f"snapshot {asked}, by {ages} and sex_code", "ratios": ratios.to_dicts()}
        )
        _print_json({**report, "rates": found.to_dicts(), **told})
        return
    for row in found.to_dicts():
        typer.echo(
            f"{', '.join(row[name] for name in names):<32} {_told(row['people']):>9} of {_told(row['of']):>9}  "
            f"{_told(row['rate_per_1000']):>8} per 1,000 ({_told(row['lcl'])} to {_told(row['ucl'])})"
        )
    for row in [] if ratios is None else ratios.to_dicts():
        typer.echo(
            f"{row['area']:<32} {_told(row['observed']):>9} observed, {_told(row['expected']):>9} expected  "
            f"ratio {_told(row['ratio'])} ({_told(row['lcl'])} to {_told(row['ucl'])})"
        )
    typer.echo(f"Snapshot {asked}; people, not events; {WITHHELD} is withheld or cannot be worked out.")


def progress(
    where: Annotated[str, typer.Option(help="Filter of the people to look at, such as place = 'medway_swale'.")] = "",
    groups: Annotated[str, typer.Option(help="Priority groups, with commas between.")] = "1,2,3",
    to: To = DEFAULT_ADDRESS,
    purpose: Annotated[str, typer.Option(help="Id of the purpose under which you ask.")] = "planning",
    snapshot: Snapshot = None,
    as_json: AsJson = False,
) -> None:
    """How many of each condition's priority groups were identified and reviewed, from rounded counts.

    A group of which too few were reviewed is told without them, and without its percentage.
    """
    import polars as pl

    from linkage.indicators.progress import ALL_GROUPS, told_progress
    from services.query.client import TOTAL, CohortClient

    wanted = [group.strip() for group in groups.split(",")]
    if not wanted or not set(wanted) <= {"1", "2", "3", "4"}:
        raise _wrong("Name priority groups from 1 to 4, with commas between.")
    listed = ", ".join(f"'{group}'" for group in wanted)
    parts = []
    with CohortClient(to, purpose) as client:
        for condition, names in _SEARCHED.items():
            found = f"{names[0]} IN ({listed})"
            answer = client.table(names, where=f"({where}) AND {found}" if where.strip() else found, snapshot=snapshot)
            snapshot = answer.context.snapshot_id
            parts.append(told_progress(condition, answer.cells.select(*names, "count").rows(), TOTAL))
    table = pl.concat(parts).filter(pl.col("group").is_in([ALL_GROUPS, *map(int, wanted)]))
    if as_json:
        _print_json({"snapshot_id": snapshot, "progress": table.to_dicts()})
        return
    for row in table.to_dicts():
        group = "all" if row["group"] == ALL_GROUPS else f"PG{row['group']}"
        typer.echo(
            f"{row['condition']:<14} {group:<4} {_told(row['identified']):>9} identified "
            f"{_told(row['reviewed']):>9} reviewed {_told(row['percent']):>6} %"
        )
    typer.echo(f"Snapshot {snapshot}; {WITHHELD} is withheld.")


def _ratios(
    client: CohortClient, by: str, strata: tuple[str, ...], among: str, both: str, snapshot: str
) -> pl.DataFrame:
    """Return standardised ratios by area; the standard is everybody among the people at risk in the same snapshot."""
    import polars as pl

    from linkage.indicators.rates import standardised_ratios
    from services.query.client import UNKNOWN

    def inner(names: tuple[str, ...], where: str) -> pl.DataFrame:
        cells = client.table(names, where=where, margins=False, snapshot=snapshot).cells
        known = pl.all_horizontal(pl.col(name) != UNKNOWN for name in names)
        return cells.filter(known).with_columns(stratum=pl.concat_str(strata, separator=" "))

    standard = inner(strata, among).join(inner(strata, both).select("stratum", people="count"), on="stratum")
    observed = client.table([by], where=both, snapshot=snapshot).cells
    return standardised_ratios(
        dict(observed.select(by, "count").iter_rows()),
        inner((by, *strata), among).select("stratum", "count", area=by),
        standard.select("stratum", "people", of="count"),
    )


def _told(number: float | None) -> str:
    return WITHHELD if number is None else f"{number:,}"


def _practices(store: Path, icb: str | None) -> tuple[pl.DataFrame, str]:
    """Return the practices of one care board with their network and place, and the store's version."""
    import polars as pl

    from services.reference import open_store

    reference = open_store(store)
    populations = reference.table("weighted-populations")
    if "icb_code" in populations.columns:
        boards = populations["icb_code"].unique().to_list()
        if icb is None and len(boards) > 1:
            raise _wrong(f"The populations are of {len(boards)} care boards; name the one that shares by --icb.")
        populations = populations.filter(pl.col("icb_code") == (icb or boards[0]))
    elif icb is not None:
        raise _wrong("The populations do not say which care board a practice is of; leave --icb out.")
    places = reference.practices().select("practice_code", "place")
    return populations.join(places, on="practice_code", how="left"), reference.version


def _with_amounts(shares: pl.DataFrame, divided: pl.DataFrame) -> list[dict[str, Any]]:
    amounts = divided["amount_pence"].to_list()
    return [{**row, "amount_pence": pence} for row, pence in zip(shares.to_dicts(), amounts, strict=True)]


def _pence(amount: str) -> int:
    """Return pounds as pence; a fraction of a penny is refused, not rounded."""
    try:
        pence = Decimal(amount.replace(",", "")) * 100
        whole = pence.quantize(Decimal(1), ROUND_HALF_UP)
    except ArithmeticError:
        raise _wrong("The amount is no sum in pounds; write it such as 5950000 or 1250.50.") from None
    if whole != pence or whole < 0:
        raise _wrong("The amount is no sum of whole pence; write it such as 5950000 or 1250.50.")
    return int(whole)


def _records(file: Path) -> list[IndicatorRecord]:
    """Return the records of a CSV file; empty cells are missing values."""
    import polars as pl
    from pydantic import ValidationError

    from schemas.errors import InputError, Reason
    from schemas.indicators import IndicatorRecord

    try:
        frame = pl.read_csv(file, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError):
        raise InputError(
            Reason.FILE_UNREADABLE, "The file cannot be read as CSV; check its place and header."
        ) from None
    records = []
    for number, row in enumerate(frame.iter_rows(named=True), 1):
        try:
            records.append(IndicatorRecord.model_validate({name: cell for name, cell in row.items() if cell}))
        except ValidationError as error:
            fields = {".".join(map(str, e["loc"])) or "limits" for e in error.errors(include_input=False)}
            raise InputError(
                Reason.FIELD_INVALID, f"Record {number} is wrong at: {', '.join(sorted(fields))}. Mend it."
            ) from None
    return records


def _wrong(message: str) -> Exception:
    from schemas.errors import InputError, Reason

    return InputError(Reason.OPTION_INVALID, message)


def _print_json(value: Any) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))
