"""One row of the table of all that can be asked for."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from attrs import field, frozen

from .calls import Call
from .messages import JSON, Answer

Handler = Callable[[Call], Awaitable[Answer]]


@frozen(kw_only=True)
class Route:
    """What is asked for by a method and a path, and what answers it.

    ``refusals`` are the statuses besides those that every route with a key may give. ``is_open`` needs no key;
    ``is_at_root`` stands outside ``/api/v1``, ``is_anywhere`` in both places. One that is not ``is_described`` is for
    no client of the API.

    For its description: ``query`` names what may be asked in its URL, ``takes_form`` whether it takes the form of a new
    campaign. A success is of ``media_type``; ``shows`` names the schema of its JSON.
    """

    method: str
    template: str
    handler: Handler
    summary: str
    success: int = 200
    refusals: Sequence[int] = ()
    is_open: bool = False
    is_at_root: bool = False
    is_anywhere: bool = False
    is_stream: bool = False
    is_described: bool = True
    tag: str = "campaigns"
    description: str = ""
    query: Sequence[str] = ()
    takes_form: bool = False
    media_type: str = JSON
    shows: str = ""
    segments: tuple[str, ...] = field(init=False)
    _words: Sequence[tuple[int, str]] = field(init=False, repr=False)
    _names: Sequence[tuple[int, str]] = field(init=False, repr=False)

    @segments.default
    def _segments(self) -> tuple[str, ...]:
        return tuple(self.template.strip("/").split("/"))

    @_words.default
    def _its_words(self) -> Sequence[tuple[int, str]]:
        return tuple((index, each) for index, each in enumerate(self.segments) if not each.startswith("{"))

    @_names.default
    def _its_names(self) -> Sequence[tuple[int, str]]:
        return tuple((index, each.strip("{}")) for index, each in enumerate(self.segments) if each.startswith("{"))

    def ids(self, segments: Sequence[str]) -> Mapping[str, str] | None:
        """Give what stands where the template has names; None where it is another path."""
        if len(segments) != len(self.segments):
            return None
        for index, word in self._words:
            if segments[index] != word:
                return None
        return {name: segments[index] for index, name in self._names} if all(segments) else None
