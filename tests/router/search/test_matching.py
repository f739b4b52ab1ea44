"""Lines that others have drawn, on our streets."""

from __future__ import annotations

from pathlib import Path as File

import numpy as np
import pytest

from air.geodesy import Floats
from router.graph.graph import Graph
from router.modes import TravelMode, is_open, seconds
from router.search.engine import Engine, Path
from router.search.matching import metric_along, share_on
from router.search.metric import Metric
from router.search.shapes import Shapes
from tests.router.real_streets import real_streets
from tests.router.street_plan import Edge, at, plan
from tests.router.test_real_streets import at_tail

# Two ways from west to east, by the south and by the north.
BLOCK = plan(
    [(0, 0), (400, 0), (400, 300), (0, 300), (-200, 0), (600, 300)],
    [Edge(0, 1), Edge(1, 2), Edge(2, 3), Edge(3, 0), Edge(4, 0), Edge(2, 5)],
)


def drawn(*places: tuple[float, float]) -> Floats:
    return np.array([(at(*place).latitude, at(*place).longitude) for place in places])


def matched(graph: Graph, line: Floats, start: int, end: int) -> Path:
    shapes = Shapes(graph)
    metric = metric_along(line, graph, shapes, is_open(graph, TravelMode.WALK))
    path = Engine(graph).find(metric, at_tail(graph, start), at_tail(graph, end))
    assert path is not None
    return path


def nodes(graph: Graph, path: Path) -> list[int]:
    moved = path.arcs[path.portions() > 0]
    return [int(graph.tail[moved[0]]), *graph.head[moved].tolist()]


ACROSS = (int(BLOCK.first_out[4]), int(BLOCK.first_out[5]))


@pytest.mark.parametrize(
    ("line", "way"),
    [
        (drawn((-200, 0), (0, 0), (400, 0), (400, 300), (600, 300)), [4, 0, 1, 2, 5]),
        (drawn((-200, 0), (0, 0), (0, 300), (400, 300), (600, 300)), [4, 0, 3, 2, 5]),
        # Drawn ten metres beside, and with corners cut.
        (drawn((-190, 8), (-10, 9), (9, 290), (410, 309), (600, 292)), [4, 0, 3, 2, 5]),
    ],
)
def test_a_way_follows_the_line(line: Floats, way: list[int]) -> None:
    path = matched(BLOCK, line, *ACROSS)
    assert nodes(BLOCK, path) == way
    assert share_on(line, Shapes(BLOCK).line(path)) == 1.0


def test_where_there_are_no_streets_it_says_so() -> None:
    # Straight across the block.
    line = drawn((-200, 0), (0, 0), (400, 300), (600, 300))
    path = matched(BLOCK, line, *ACROSS)
    assert 0.3 < share_on(line, Shapes(BLOCK).line(path)) < 0.6
    assert share_on(drawn((0, 5000), (600, 5000)), Shapes(BLOCK).line(path)) == 0.0


@pytest.mark.real_data
def test_on_real_streets_a_way_drawn_with_errors_is_found_again(real_data: File) -> None:
    graph, _ = real_streets(real_data, "seoul_sinchon_ewha")
    shapes, engine, usable = Shapes(graph), Engine(graph), is_open(graph, TravelMode.WALK)
    fastest = Metric.of(seconds(graph, TravelMode.WALK) * 1000, graph.length_m, usable)
    rng, shares, alike = np.random.default_rng(5), [], []
    for start, end in rng.choice(np.flatnonzero(usable), (30, 2)).tolist():
        path = engine.find(fastest, at_tail(graph, start), at_tail(graph, end))
        if path is None or len(path.arcs) < 5:
            continue
        line = shapes.line(path)
        other = matched(graph, line + rng.normal(0, 2e-5, line.shape), start, end)
        shares.append(share_on(line, shapes.line(other)))
        alike.append(len(np.intersect1d(path.arcs, other.arcs)) / len(path.arcs))
    assert len(shares) > 10
    assert min(shares) > 0.95
    assert np.mean(alike) > 0.95
