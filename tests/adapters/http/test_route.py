from kataven_adapters.http.calls import Call
from kataven_adapters.http.messages import JSON, Response
from kataven_adapters.http.route import Route


async def answer(_: Call) -> Response:
    return Response()


def route(template: str) -> Route:
    return Route(method="GET", template=template, handler=answer, summary="One")


def test_a_path_is_the_templates_where_they_agree_but_for_its_names() -> None:
    named = route("/campaigns/{id}/contacts")
    assert named.segments == ("campaigns", "{id}", "contacts")
    assert named.ids(["campaigns", "c1", "contacts"]) == {"id": "c1"}
    for other in (
        "campaigns",
        "campaigns/c1",
        "campaigns/c1/rejects",
        "campaign/c1/contacts",
        "campaigns/c1/contacts/",
    ):
        assert named.ids(other.split("/")) is None, other
    assert route("/a/{x}/{y}").ids(["a", "1", "2"]) == {"x": "1", "y": "2"}
    assert route("/a/{x}/{y}").ids(["a", "1", ""]) is None, "nothing is no name"
    assert route("/docs").ids(["docs"]) == {}
    assert route("/docs").ids([""]) is None


def test_a_route_needs_a_key_and_gives_json_unless_it_says_otherwise() -> None:
    plain = route("/a")
    assert (plain.success, plain.media_type, plain.is_open, plain.is_stream, plain.refusals) == (
        200,
        JSON,
        False,
        False,
        (),
    )
