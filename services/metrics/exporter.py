"""The page that Prometheus reads: plain text over HTTP, on a loopback address, made when it is asked for."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Final, Self

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from schemas.errors import Reason, StateError
from services.figures import BOUNDS_S, Figure, Spread
from services.metrics.catalogue import BY_NAME, Kind, Metric

Figures = Callable[[], Iterable[Figure]]
"""What tells figures when it is asked."""

MOST_SERIES: Final = 500
"""Combinations of labels that one metric shows at most: a bound on what senders with many sources can make."""

_LABEL: Final = re.compile(r"[A-Za-z0-9._/-]{0,100}")
_LIKE_AN_IDENTIFIER: Final = re.compile(r"[0-9]{9}|[0-9a-f]{16}|[A-Z]{2}[0-9]{6}", re.IGNORECASE)
_WITHHELD: Final = "withheld"
_FAILURES: Final = "hwlink_scrape_failures"
_Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily

log = logging.getLogger(__name__)


class Exporter:
    """Shows figures at `http://address/metrics` from its construction until `close`."""

    def __init__(self, address: str, parts: Mapping[str, Figures]) -> None:
        """Listen on `address` (`HOST:PORT`); StateError PORT_IN_USE when nothing can.

        `parts` are asked at every scrape, by name; one that fails, or that is still being asked by an earlier scrape,
        is left out and said to be missing, so that a broker that is down hides nothing else.
        """
        registry = CollectorRegistry()
        registry.register(_Page(parts))
        ProcessCollector(registry=registry)
        host, _, port = address.rpartition(":")
        try:
            self._server, self._thread = start_http_server(int(port), host.strip("[]"), registry)
        except OSError:
            raise StateError(
                Reason.PORT_IN_USE,
                f"Nothing can listen on {address} for metrics: another process does; stop that process, or choose "
                "another HWLINK_METRICS_ADDRESS.",
            ) from None
        self.address = f"{host}:{self._server.server_port}"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Page(Collector):
    def __init__(self, parts: Mapping[str, Figures]) -> None:
        self._parts = {name: (figures, threading.Lock()) for name, figures in parts.items()}

    def describe(self) -> Iterable[_Family]:
        """Return nothing: the registry would else ask every part at construction, when roles have not started."""
        return []

    def collect(self) -> Iterator[_Family]:
        """Yield every metric for which there is a figure."""
        by_metric: dict[str, list[Figure]] = {}
        for name in self._parts:
            found = self._asked(name)
            by_metric.setdefault(_FAILURES, []).append(Figure(_FAILURES, float(found is None), {"part": name}))
            for figure in found or ():
                by_metric.setdefault(figure.name, []).append(figure)
        for name, figures in by_metric.items():
            yield _family(BY_NAME[name], figures[:MOST_SERIES])

    def _asked(self, part: str) -> list[Figure] | None:
        figures, lock = self._parts[part]
        if not lock.acquire(blocking=False):
            return None
        try:
            return list(figures())
        except Exception as error:  # whatever it is: its text may hold a value, and the page must not fail for it
            log.warning("figures could not be told", extra={"kind": type(error).__name__})
            return None
        finally:
            lock.release()


def _family(metric: Metric, figures: list[Figure]) -> _Family:
    names = metric.labels
    if metric.kind is Kind.HISTOGRAM:
        histogram = HistogramMetricFamily(metric.name, metric.meaning, labels=names)
        for figure in figures:
            if isinstance(figure.value, Spread):
                histogram.add_metric(_labels(metric, figure), _cumulative(figure.value), figure.value.sum_s)
        return histogram
    kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = kind(metric.name, metric.meaning, labels=names)
    for figure in figures:
        if not isinstance(figure.value, Spread):
            family.add_metric(_labels(metric, figure), figure.value)
    return family


def _labels(metric: Metric, figure: Figure) -> list[str]:
    return [safe_label(figure.labels.get(name, "")) for name in metric.labels]


def safe_label(text: str) -> str:
    """Return a label's text, or `withheld` for one that could be a value: labels stay in other systems for years."""
    if _LABEL.fullmatch(text) is None or _LIKE_AN_IDENTIFIER.search(text):
        return _WITHHELD
    return text


def _cumulative(spread: Spread) -> list[tuple[str, float]]:
    buckets, total = [], 0
    for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), spread.counts, strict=True):
        total += count
        buckets.append((bound, float(total)))
    return buckets
