"""The simulated city: drawn from a seed, and written as an OpenStreetMap extract that the real importer reads.

Nothing of it exists. Every name begins with 모의 ("simulated"), every way is tagged `cleanair:simulated=yes`, and it
lies among hills where there is no city. Equal seeds give equal bytes.

A river with bridges parts it. Arterials lead from the bridges outward; between them districts fill with collectors,
local streets, alleys and dead ends, each in its own manner, with one-ways, estates, parks, and hills with trails.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from air.places import Network, Point
from simulation.city_blocks import Filling
from simulation.city_extract import point_at, write_extract
from simulation.city_green import lay_promenades, water
from simulation.city_plan import make_plan

DEFAULT_SEED: Final = 7

GENERATOR_VERSION: Final = 2
"""Raised whenever the same seed would give another city."""


@dataclass(frozen=True, slots=True)
class District:
    """A district of the simulated city.

    Attributes:
        name: In Korean; begins with 모의, "simulated".
        latin_name: In Latin letters; begins with "Simulated".
        centre: Its middle.
        station: Where its station stands: at the kerb of an arterial if it is a roadside one, else away from them.
        network: What its station is there to measure.
    """

    name: str
    latin_name: str
    centre: Point
    station: Point
    network: Network


@lru_cache(maxsize=8)
def districts(seed: int) -> tuple[District, ...]:
    """The 25 districts of the city with this seed."""
    return tuple(
        District(
            name=f"모의{district.name}구",
            latin_name=f"Simulated {district.latin_name}",
            centre=point_at(district.x, district.y),
            station=point_at(district.station_x, district.station_y),
            network=district.network,
        )
        for district in make_plan(seed).districts
    )


def generate(seed: int, path: Path) -> None:
    """Draws the city with this seed and writes it to an .osm.pbf; there is never half a file under the path."""
    plan = make_plan(seed)
    filling = Filling(plan.net, seed)
    for index, superblock in enumerate(plan.superblocks):
        filling.fill(index, superblock, plan.districts[superblock.district])
    for bank, side in zip(plan.banks, (1, -1), strict=True):
        lay_promenades(plan.net, bank, side)
    areas = [water(plan.net, *plan.banks), *filling.areas]
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".drawing-") as folder:
        drawn = Path(folder) / "city.osm.pbf"
        write_extract(drawn, plan.net, areas, plan.districts)
        drawn.replace(path)


def ensure_city(data_dir: Path, seed: int = DEFAULT_SEED) -> Path:
    """The extract of the city with this seed under `data_dir`, drawn if it is not there yet."""
    path = data_dir / f"simulated-city-{seed}-v{GENERATOR_VERSION}.osm.pbf"
    if not path.is_file():
        generate(seed, path)
    return path
