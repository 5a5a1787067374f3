from kataven_adapters.http import ApiSettings, Caller, Metrics
from kataven_adapters.http.calls import Call, Services
from kataven_adapters.http.feeds import Feeds

from .conftest import ACME
from .inside import body_of, inside, request


async def test_a_call_says_whose_it_is_and_of_what() -> None:
    async with inside() as there:
        services, other = (
            Services(
                engine=there.engine,
                settings=ApiSettings(),
                clock=there.clock,
                feeds=Feeds(there.engine, ApiSettings()),
                metrics=Metrics(),
                routes=(),
            )
            for _ in range(2)
        )
        ids = {"id": "c1"}
        call = Call(request=request(), body=body_of(), services=services, caller=Caller(ACME.id, "ops"), ids=ids)
        assert (call.engine, call.account_id, call.campaign_id) == (there.engine, ACME.id, "c1")
        assert await call.account() == ACME
        services.under_way.add(("a", "b", "c"))
        assert other.under_way == set(), "each API has its own"
