"""The imperative shell around the pure core: asyncio and the ports, nothing else.

``engine`` what a host calls; ``works`` what turns inside; ``inbox`` -> ``dispatcher`` -> the store -> ``sends``,
``outlook``, the publisher and whoever waits for an answer. ``reconciler`` finds out what became of calls that nobody
has heard of; ``uploads`` make campaigns of files.
"""

from .engine import Engine, Progress
from .hub import Hub
from .imports import ImportProgress
from .settings import EngineSettings
from .system import SystemClock
from .uploads import Upload

__all__ = ["Engine", "EngineSettings", "Hub", "ImportProgress", "Progress", "SystemClock", "Upload"]
