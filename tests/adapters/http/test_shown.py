import json

import pytest

from kataven_adapters.http.messages import Response

from .asking import with_parts
from .inside import inside


def members(answer: Response) -> dict[str, object]:
    assert isinstance(answer.body, bytes)
    found: dict[str, object] = json.loads(answer.body)
    return found


async def test_a_new_campaign_says_where_it_is_and_others_do_not() -> None:
    async with inside() as there:
        made = await there.send(with_parts(), {})
        campaign = members(made)["id"]
        assert (made.status, made.headers["Location"]) == (201, f"/api/v1/campaigns/{campaign}")
        shown = await there.ask("GET", f"/campaigns/{campaign}")
        assert (shown.status, "Location" in shown.headers) == (200, False)
        assert members(shown) == members(made)


@pytest.mark.parametrize(
    ("mount", "prefix"), [("/voice", "/voice"), ("/電話 x", "/%E9%9B%BB%E8%A9%B1%20x"), ("/a\r\nb", "/a%0D%0Ab")]
)
async def test_where_the_api_is_mounted_is_in_it_and_splits_no_header(mount: str, prefix: str) -> None:
    async with inside() as there:
        made = await there.send(with_parts(), {}, mount=mount)
        assert made.headers["Location"] == f"{prefix}/api/v1/campaigns/{members(made)['id']}"
