from typing import ClassVar

from kataven_core.ports import Publisher
from kataven_core.runtime import Hub
from kataven_core.testing import PublisherContract


class TestHub(PublisherContract):
    def new_publisher(self) -> Publisher:
        return Hub()


class TestHubWithLittleRoom(PublisherContract):
    too_many: ClassVar[int] = 200

    def new_publisher(self) -> Publisher:
        return Hub(room=199)
