"""The report's page: it loads nothing, escapes everything, says what each chart shows, and its sums are right."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage.compare import LEVEL, PLACE, patterns
from linkage.reason import because
from schemas.disclosure import shipped_policy
from schemas.model import COMPARISONS, default_model
from services.link.evidence import EVIDENCE_SCHEMA
from services.report import FinishedRun, page_of_run
from services.report.charts import Step, waterfall
from services.report.markup import bullets, figure, folded, paragraph, part, section, table
from services.report.svg import embedded

MODEL = default_model()
LOADS_OR_RUNS = {"script", "link", "img", "iframe", "object", "embed", "image", "use", "foreignobject", "video"}
VOID = {"meta", "br", "hr"}
ALIKE = {"forename": "exact", "surname": "exact", "date_of_birth": "exact_same_sex"}
TWINS = {**ALIKE, "forename": "different", "home": "address_same_postcode_same"}
SUMMARY: dict[str, Any] = {
    "files": [{"path": "/secret/place/left.parquet", "source": "kmpt.gp", "records": 9, "one_record_per_person": True}],
    "model": {"model_id": MODEL.model_id, "fitted": False},
    "counts": {
        "subjects": 12, "pairs_emitted": 6, "link": 3, "review": 3, "apart": 0, "persons": 9,
        "persons_of_two_or_more": 3, "unlinkable": 1,
    },
    "review_per_10000_subjects": 2500.0,
    "fit": None,
    "quality": {"links": {"correct": 3, "found": 3, "true": 4, "precision": 1.0, "recall": 0.75, "f1": 0.857}},
    "seconds": {"read": 0.1, "total": 0.5},
    "peak_memory_mib": 200,
}  # fmt: skip


def evidence(*pairs: tuple[dict[str, str], float, float, str | None, str]) -> pl.DataFrame:
    """Pairs by levels, log2 odds, what rivals take, guard and decision."""
    rows = []
    for number, (levels, odds, rivals, guard, decision) in enumerate(pairs):
        column = np.zeros((len(COMPARISONS), 1), dtype=np.uint8)
        for name, level in levels.items():
            column[PLACE[name]] = LEVEL[name][level]
        probability = 1 / (1 + 2.0 ** (rivals - odds))
        keys = ("kmpt.gp", f"left-{number}", "medway.shbe", f"right-{number}")
        rows.append((*keys, int(patterns(column)[0]), odds + 17, odds, rivals, probability, guard, decision, ""))
    frame = pl.DataFrame(rows, schema=EVIDENCE_SCHEMA, orient="row")
    reasons = frame.with_columns(override=pl.lit(None, dtype=pl.String)).select(because(MODEL.policy))
    return frame.with_columns(because=reasons.to_series())


PAIRS = evidence(
    (ALIKE, 20.0, 0.0, None, "link"),
    (ALIKE, 9.0, 0.5, None, "link"),
    (ALIKE, 2.0, 0.0, None, "link"),
    (TWINS, 3.0, 0.0, "twin", "review"),
    (ALIKE, 8.0, 8.0, None, "review"),
    (ALIKE, 6.0, 0.0, None, "review"),
)


class Outline(HTMLParser):
    """What a page is made of; fails on what does not nest."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page() -> str:
    return page_of_run(FinishedRun(SUMMARY, MODEL, PAIRS), shipped_policy())


def test_the_page_loads_nothing_and_runs_nothing(page: str) -> None:
    outline = Outline(page)
    assert not {tag for tag, _ in outline.tags} & LOADS_OR_RUNS
    for _, attributes in outline.tags:
        assert not [name for name in attributes if name.startswith("on") or name in {"src", "href", "xlink:href"}]
    assert set(re.findall(r"https?://[^\"' <]*", page)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_each_chart_says_what_it_shows_and_ids_are_unique(page: str) -> None:
    tags = Outline(page).tags
    charts = [attributes for tag, attributes in tags if tag == "div" and attributes.get("class") == "chart"]
    assert len(charts) == sum(tag == "svg" for tag, _ in tags) > 5
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in charts)
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    headings = [tag for tag, _ in tags if tag in {"h1", "h2", "h3"}]
    assert headings[0] == "h1"
    assert headings.count("h1") == 1
    assert "lang" in dict(tags)["html"]


def test_pairs_that_teach_are_explained_and_numbered(page: str) -> None:
    titles = re.findall(r"<h3>(Pair \d+: [^<]*)</h3>", page)
    assert titles == [
        "Pair 1: the strongest link",
        "Pair 2: a link in the middle",
        "Pair 3: the weakest link",
        "Pair 4: a review asked for by the guard twin",
        "Pair 5: a tie: a rival comes too near",
        "Pair 6: a review because of the others it would join",
    ]
    assert "twins look like this" in page


def test_no_path_and_no_subject_is_named(page: str) -> None:
    assert "secret" not in page
    assert not re.search(r"(left|right)-\d", page)


def test_a_run_without_truth_and_pairs_has_a_page_too() -> None:
    told = page_of_run(FinishedRun({**SUMMARY, "quality": None}, MODEL, PAIRS.clear()), shipped_policy())
    Outline(told)
    assert "No pair reached the review threshold." in told
    assert "Against the truth" not in told


def test_the_same_run_gives_the_same_page(page: str) -> None:
    assert page_of_run(FinishedRun(SUMMARY, MODEL, PAIRS), shipped_policy()) == page


@given(st.text(alphabet="<>&\"'`=ab \\", max_size=30))
def test_whatever_is_text_is_escaped(text: str) -> None:
    told = (
        section(text, paragraph(text), bullets([text])),
        part(text, table(text, [text], [(text, text, 3)])),
        figure("<svg></svg>", text),
        folded(text),
    )
    for piece in told:
        outline = Outline(piece)
        known = {"section", "h2", "p", "ul", "li", "h3", "table", "caption", "thead", "tbody", "tr", "th", "td"}
        known |= {"figure", "figcaption", "div", "svg", "details", "summary"}
        assert {tag for tag, _ in outline.tags} <= known
        assert {name for _, attributes in outline.tags for name in attributes} <= {
            "class", "role", "aria-label", "scope",
        }  # fmt: skip


def test_a_charts_text_is_escaped_too() -> None:
    svg = waterfall([Step("<script>alert(1)</script>&", 0.0, -3.0, whole=True), Step("b", -3.0, 2.0)], 0.0)
    assert "<script" not in svg
    assert "alert(1)" in svg


def test_charts_beside_one_another_keep_their_names_apart() -> None:
    one, other = (embedded(f'<svg>{n}<g id="clip0"/><rect clip-path="url(#clip0)"/></svg>') for n in (1, 2))
    names = [re.findall(r'id="([^"]+)"', svg)[0] for svg in (one, other)]
    assert names[0] != names[1]
    assert f"url(#{names[0]})" in one
