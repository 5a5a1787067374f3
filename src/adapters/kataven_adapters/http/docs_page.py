"""The description of the API as a page to read: one file, no script, nothing from elsewhere."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from .docs_markup import Html, element, kind_of, note_of, prose, table
from .docs_style import STYLE

_BASE: Final = "$KATAVEN_BASE_URL"
"""Where the API is mounted, as the client and the command are told."""
_KEY: Final = '-H "Authorization: Bearer $KATAVEN_API_KEY"'
_ONCE: Final = '-H "Idempotency-Key: $(uuidgen)"'
_STREAM: Final = "text/event-stream"

Found = Mapping[str, Any]


def page(document: Found) -> str:
    """Give the page of a description."""
    return Page(document).whole()


class Page:
    """Writes the page of one description."""

    def __init__(self, document: Found) -> None:
        self._document = document
        self._operations = [
            {**found, "path": path, "method": method}
            for path, methods in document["paths"].items()
            for method, found in methods.items()
        ]

    def whole(self) -> str:
        """Give all of it."""
        info = self._document["info"]
        head = element(
            "head",
            element("meta", charset="utf-8"),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("title", info["title"]),
            element("style", Html(STYLE)),
        )
        title = element("h1", f"{info['title']} ", element("small", info["version"]))
        main = element("main", title, _about(info["description"]), *self._groups(), *self._schemas())
        body = element("body", element("div", self._contents(), main, class_="frame"))
        return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"

    def _by_tag(self) -> Iterator[tuple[str, list[Found]]]:
        for tag, operations in groupby(self._operations, lambda each: str(each["tags"][0])):
            yield tag, [*operations]

    def _contents(self) -> Html:
        parts: list[str] = []
        for tag, operations in self._by_tag():
            parts += [element("b", tag), _links((_way_to(each), each["operationId"]) for each in operations)]
        names = self._document["components"]["schemas"]
        return element("nav", *parts, element("b", "schemas"), _links(([name], name) for name in names))

    def _groups(self) -> Iterator[Html]:
        for tag, operations in self._by_tag():
            yield element("h2", tag.capitalize())
            yield from map(self._operation, operations)

    def _operation(self, found: Found) -> Html:
        is_open = found.get("security") == []
        return element(
            "section",
            element("h3", _badge(found), " ", found["path"]),
            element("p", found["summary"], ". " if is_open else ".", element("small", "No key needed." * is_open)),
            element("p", *prose(found.get("description", ""))),
            *self._parameters(found),
            *self._form(found),
            element("h4", "Answers"),
            table(map(self._answer, found["responses"].items()), class_="answers"),
            element("h4", "Example"),
            element("pre", element("code", self._curl(found))),
            id=found["operationId"],
        )

    def _parameters(self, found: Found) -> Iterator[Html]:
        parameters = [self._resolved(each) for each in found["parameters"]]
        if parameters:
            yield element("h4", "Parameters")
            yield table(
                (
                    [each["name"], " ", element("small", each["in"])],
                    kind_of(each["schema"]),
                    [*prose(each["description"]), *note_of({**each["schema"], "description": ""})],
                )
                for each in parameters
            )

    def _form(self, found: Found) -> Iterator[Html]:
        if "requestBody" in found:
            ((media_type, content),) = found["requestBody"]["content"].items()
            yield element("h4", f"Form, {media_type}")
            yield element("p", *prose(found["requestBody"]["description"]))
            yield table(_members(self._resolved(content["schema"])))

    def _answer(self, given: tuple[str, Found]) -> tuple[Iterable[str], ...]:
        status, answer = given[0], self._resolved(given[1])
        held = [part for item in answer.get("content", {}).items() for part in (*_held(*item), " ")]
        headers = [element("code", name) for name in answer["headers"] if name != "X-Request-ID"]
        named = [" With ", *(part for each in headers for part in (each, " "))] if headers else []
        color = "good" if status.startswith("2") else "bad"
        return [element("span", status, class_=color)], held, [*prose(answer["description"]), *named]

    def _curl(self, found: Found) -> str:
        """Give a command that asks for it."""
        method, answers = found["method"], found["responses"].get("200", {})
        words = ["curl" if method == "get" else f"curl -X {method.upper()}"]
        words[0] += " -N" if _STREAM in answers.get("content", {}) else ""
        words += [] if found.get("security") == [] else [_KEY]
        words += [_ONCE] if method == "post" else []
        for content in found.get("requestBody", {}).get("content", {}).values():
            words += map(_form_word, *_required(self._resolved(content["schema"])))
        return " \\\n  ".join([*words, f'"{_BASE}{found["path"].replace("{id}", "$ID")}"'])

    def _schemas(self) -> Iterator[Html]:
        yield element("h2", "Schemas")
        for name, schema in self._document["components"]["schemas"].items():
            yield element("section", element("h3", name), table(_members(schema)), id=name)

    def _resolved(self, found: Found) -> Found:
        """Follow a reference, if it is one."""
        if "$ref" not in found:
            return found
        _, _, kind, name = found["$ref"].split("/")
        target: Found = self._document["components"][kind][name]
        return target


def _about(text: str) -> Html:
    blocks = [each.strip() for each in text.split("\n\n")]
    return element(
        "div",
        *(element("h2", each[3:]) if each.startswith("## ") else element("p", *prose(each)) for each in blocks),
        class_="about",
    )


def _links(entries: Iterable[tuple[Iterable[str], str]]) -> Html:
    return element("ul", *(element("li", element("a", *words, href=f"#{place}")) for words, place in entries))


def _way_to(found: Found) -> list[str]:
    return [_badge(found), element("span", found["path"].removeprefix("/api/v1"))]


def _badge(found: Found) -> Html:
    return element("span", found["method"].upper(), class_=f"badge {found['method']}")


def _members(schema: Found) -> Iterator[tuple[Iterable[str], ...]]:
    required = schema.get("required", ())
    for name, member in schema["properties"].items():
        optional = [] if name in required else [" ", element("small", "optional")]
        yield [name, *optional], kind_of(member), note_of(member)


def _held(media_type: str, content: Found) -> Iterator[str]:
    """Yield what an answer holds: a shape by its name, and how it is written unless that is plain JSON."""
    if "$ref" not in content["schema"] or media_type == _STREAM:
        yield from (element("code", media_type), " ")
    if "$ref" in content["schema"]:
        yield from kind_of(content["schema"])


def _required(form: Found) -> tuple[list[str], list[Found]]:
    return form["required"], [form["properties"][name] for name in form["required"]]


def _form_word(name: str, schema: Found) -> str:
    return f"-F {name}=@{name}.csv" if schema.get("format") == "binary" else f'-F {name}="${name.upper()}"'
