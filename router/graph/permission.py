"""Whether the access tags of OpenStreetMap let a mode pass, after the wiki's "Key:access"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

Tags = Mapping[str, str]
"""The tags of a way or a node."""

OPEN: Final = frozenset(
    {"yes", "designated", "permissive", "official", "destination", "customers", "optional_sidepath"}
)
_CLOSED: Final = frozenset({"no", "private", "permit", "military", "emergency", "use_sidepath", "dismount"})
_CLOSED_TO_CARS: Final = _CLOSED | {"agricultural", "forestry", "delivery", "bus", "psv", "hgv", "residents"}

_FOOT: Final = (("foot",), ("access",))
_BIKE: Final = (("bicycle",), ("vehicle", "access"))
_CAR: Final = (("motorcar", "motor_vehicle"), ("vehicle", "access"))

PERMISSION_KEYS: Final = tuple(dict.fromkeys(key for own, wider in (_FOOT, _BIKE, _CAR) for key in (*own, *wider)))
"""All the keys that are looked at here."""


def may_walk(tags: Tags, *, by_default: bool) -> bool:
    """Whether people on foot may pass."""
    return _may(tags, *_FOOT, _CLOSED, by_default=by_default)


def may_cycle(tags: Tags, *, by_default: bool) -> bool:
    """Whether bicycles may pass."""
    return _may(tags, *_BIKE, _CLOSED, by_default=by_default)


def may_drive(tags: Tags, *, by_default: bool) -> bool:
    """Whether cars may pass. Streets for those who live or shop there are open: a way may end in them."""
    return _may(tags, *_CAR, _CLOSED_TO_CARS, by_default=by_default)


def _may(tags: Tags, own: Sequence[str], wider: Sequence[str], closed: frozenset[str], *, by_default: bool) -> bool:
    """The mode's own tags decide; a wider one (`access`) closes, but opens nothing that the kind of street closes."""
    for key in own:
        value = tags.get(key, "")
        if value in OPEN:
            return True
        if value in closed:
            return False
    for key in wider:
        value = tags.get(key, "")
        if value:
            return by_default and value not in closed
    return by_default
