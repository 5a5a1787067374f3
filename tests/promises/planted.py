"""All planted bugs."""

from typing import Final

from tests.promises import planted_caps, planted_rules, planted_sends, planted_works
from tests.promises.planted_bug import PlantedBug

THEMES: Final = (planted_sends.THEME, planted_caps.THEME, planted_rules.THEME, planted_works.THEME)
BUGS: Final[tuple[PlantedBug, ...]] = tuple(bug for theme in THEMES for bug in theme.bugs)
