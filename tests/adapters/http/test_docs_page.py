from copy import deepcopy
from html.parser import HTMLParser
from typing import Any, Final

import pytest

from kataven_adapters.http.docs_markup import Html, element
from kataven_adapters.http.docs_page import page
from kataven_adapters.http.openapi import document
from kataven_adapters.http.routes import ROUTES

DOCUMENT: Final = document(ROUTES, "")
PAGE: Final = page(DOCUMENT)
VOID: Final = {"meta", "br", "hr", "link", "img", "input"}
HOSTILE: Final = """<script>alert(1)</script> "quoted" 'single' & `<b>` </style>"""


class Reader(HTMLParser):
    """Reads a page, and fails where an element is closed that is not open."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, attributes in self.elements if (value := attributes.get(name))]


READER: Final = Reader(PAGE)


def test_it_is_well_formed() -> None:
    assert PAGE.startswith("<!doctype html>\n<html lang=")
    assert READER.open == []
    assert len({*READER.values("id")}) == len(READER.values("id"))


def test_every_link_leads_to_a_place_on_the_page() -> None:
    assert {link.removeprefix("#") for link in READER.values("href")} <= {*READER.values("id")}


def test_nothing_is_loaded_and_nothing_runs() -> None:
    assert {tag for tag, _ in READER.elements}.isdisjoint({"script", "link", "img", "iframe", "object", "base", "form"})
    assert not any(name.startswith("on") or name in {"src", "style"} for _, found in READER.elements for name in found)
    assert "url(" not in PAGE
    assert "@import" not in PAGE


def test_it_shows_itself_by_day_and_by_night_and_on_a_phone() -> None:
    assert "prefers-color-scheme: dark" in PAGE
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in READER.elements


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_every_operation_is_there_with_an_example(path: str) -> None:
    text = "".join(READER.texts)
    for method, found in DOCUMENT["paths"][path].items():
        assert found["operationId"] in READER.values("id")
        assert f"{method.upper()} {path}" in text
        assert found["summary"] in text
        assert f'$KATAVEN_BASE_URL{path.replace("{id}", "$ID")}"' in text


def test_every_schema_and_every_member_is_there() -> None:
    text = "".join(READER.texts)
    for name, schema in DOCUMENT["components"]["schemas"].items():
        assert name in READER.values("id")
        assert all(member in text for member in schema["properties"])


def test_an_example_sends_what_is_required() -> None:
    text = "".join(READER.texts)
    assert '-F name="$NAME"' in text
    assert "-F contacts=@contacts.csv" in text
    assert '-H "Idempotency-Key: $(uuidgen)"' in text
    assert "curl -N" in text


def test_examples_are_the_same_wherever_the_api_is_mounted() -> None:
    assert "$KATAVEN_BASE_URL/api/v1/campaigns" in page(document(ROUTES, "/voice"))


def poisoned(value: Any) -> Any:
    """Write hostile text wherever a person may have written something."""
    if isinstance(value, dict):
        shown = {"description", "summary", "title", "version", "default"}
        return {
            key: HOSTILE if key in shown and isinstance(each, str) else poisoned(each) for key, each in value.items()
        }
    return [poisoned(each) for each in value] if isinstance(value, list) else value


def test_no_text_becomes_markup() -> None:
    hostile: dict[str, Any] = poisoned(deepcopy(DOCUMENT))
    hostile["paths"]["/<script>alert(2)</script>"] = {
        "get": {**hostile["paths"]["/healthz"]["get"], "operationId": '"><script>', "tags": ["<i>"]}
    }
    hostile["servers"] = [{"url": '/"><script>'}]
    hostile["components"]["schemas"]["Campaign"]["properties"]["<script>"] = {"type": "string", "enum": ["<script>"]}
    reader = Reader(page(hostile))
    assert reader.open == []
    assert {tag for tag, _ in reader.elements} <= {tag for tag, _ in READER.elements}
    assert "<script>alert(1)</script>" in "".join(reader.texts)


def test_an_element_escapes_all_that_is_not_markup() -> None:
    assert element("p", "<b>", Html("<i>x</i>"), title='"<') == '<p title="&quot;&lt;">&lt;b&gt;<i>x</i></p>'
    assert element("a", "x", class_="y", href="") == '<a class="y">x</a>'
