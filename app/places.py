"""Places: where in the window a person can go, as plain values."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

CONTAINERS = "containers"
IMAGES = "images"
BUILDS = "builds"
ACTIVITY = "activity"
MACHINE = "machine"
SETTINGS = "settings"
ONBOARDING = "onboarding"
RUN = "run"
BUILD = "build"
PULL = "pull"

PAGES = (CONTAINERS, IMAGES, BUILDS, ACTIVITY, MACHINE, SETTINGS)


class Place(Struct, frozen=True):
    """A page, and what to show on it.

    `page` is one of PAGES, or RUN, BUILD or PULL for a dialog over the page in view. `id` names the thing (the id of a
    container, the reference of an image), `tab` a tab of its details, `extra` what only that page understands.
    """

    page: str
    id: str = ""
    tab: str = ""
    extra: object = None


Go = Callable[[Place], None]
