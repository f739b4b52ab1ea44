from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.city_net import Block, Cut, Side, StreetNet


def _square(net: StreetNet, side_m: float = 1000.0) -> Block:
    corners = [net.add_node(x, y) for x, y in ((0, 0), (side_m, 0), (side_m, side_m), (0, side_m))]
    ring = [*corners, corners[0]]
    segments = net.add_street(ring, "primary", "Ring")
    return tuple(Side(*side) for side in zip(ring[:-1], ring[1:], segments, strict=True))


def test_the_form_of_a_rectangle_is_its_sides_and_direction() -> None:
    net = StreetNet()
    turned = math.radians(30)
    corners = [
        net.add_node(x * math.cos(turned) - y * math.sin(turned) + 5000, x * math.sin(turned) + y * math.cos(turned))
        for x, y in ((0, 0), (300, 0), (300, 100), (0, 100))
    ]
    ring = [*corners, corners[0]]
    segments = net.add_street(ring, "primary")
    form = net.form(tuple(Side(*side) for side in zip(ring[:-1], ring[1:], segments, strict=True)))
    assert (form.area, form.length, form.width) == pytest.approx((30_000, 300, 100))
    assert form.angle == pytest.approx(turned)


def test_a_cut_joins_both_sides_by_a_street_with_junctions_on_the_old_ones() -> None:
    net = StreetNet()
    block = _square(net)
    halves = net.cut(block, Cut(500, 500, math.pi / 2, snap=10, bend=0, fewest_m2=1000), "residential", "New")
    assert halves is not None
    assert [net.form(half).area for half in halves] == pytest.approx([500_000, 500_000])
    ring, new = (net.nodes_of(street) for street in net.streets)
    assert {new[0], new[-1]} <= set(ring)
    assert {(round(net.x[node]), round(net.y[node])) for node in (new[0], new[-1])} == {(500, 0), (500, 1000)}


def test_a_street_ends_at_a_junction_that_is_near() -> None:
    net = StreetNet()
    lower, upper = net.cut(_square(net), Cut(500, 500, 0.0, 10, 0, 1000), "residential") or pytest.fail("no cut")
    first = net.cut(lower, Cut(500, 250, math.pi / 2, 40, 0, 1000), "residential")
    second = net.cut(upper, Cut(520, 750, math.pi / 2, 40, 0, 1000), "residential")
    assert first is not None
    assert second is not None
    _, _, *streets = (set(net.nodes_of(street)) for street in net.streets)
    assert streets[0] & streets[1], "the two make a crossing, not a stagger of 20 m"


@pytest.mark.parametrize(
    "cut",
    [
        Cut(2000, 2000, 0.3, 10, 0, 1000),
        Cut(500, 5, 0.0, 20, 0, 1000),
        Cut(500, 100, 0.0, 5, 0, 300_000),
    ],
    ids=["outside", "along a side", "too small a half"],
)
def test_a_cut_that_makes_no_two_sound_blocks_changes_nothing(cut: Cut) -> None:
    net = StreetNet()
    block = _square(net)
    before = (list(net.x), [net.nodes_of(street) for street in net.streets])
    assert net.cut(block, cut, "residential") is None
    assert (net.x, [net.nodes_of(street) for street in net.streets]) == before


@given(
    cuts=st.lists(
        st.tuples(
            st.floats(0, 1000), st.floats(0, 1000), st.floats(0, math.pi), st.floats(0, 60), st.floats(-0.08, 0.08)
        ),
        max_size=25,
    )
)
def test_however_it_is_cut_no_land_is_lost_and_every_street_hangs_together(
    cuts: list[tuple[float, float, float, float, float]],
) -> None:
    net = StreetNet()
    blocks = [_square(net)]
    for x, y, angle, snap, bend in cuts:
        for index, block in enumerate(blocks):
            if net.contains(block, x, y):
                halves = net.cut(block, Cut(x, y, angle, snap, bend, fewest_m2=500), "residential")
                if halves is not None:
                    blocks[index : index + 1] = halves
                break
    areas = [net.form(block).area for block in blocks]
    assert sum(areas) == pytest.approx(1e6)
    assert min(areas) >= 499.99
    assert len(blocks) == len(net.streets)
    reached = set(net.nodes_of(net.streets[0]))
    for street in net.streets[1:]:
        nodes = net.nodes_of(street)
        assert len(set(nodes)) == len(nodes)
        assert {nodes[0], nodes[-1]} <= reached | {node for other in net.streets for node in net.nodes_of(other)[1:-1]}
        reached |= set(nodes)
