"""From a URL to the adapter that it names, unopened; nothing is imported before it is asked for.

What is built in is known by name. Others join by an entry point in the group ``kataven_core.stores`` or
``kataven_core.lines`` whose name is the scheme: a function that takes what ``store_from_url`` or ``line_from_url``
takes. They are looked up only for a scheme that is not built in, so that none can take one over.

No message holds more of a URL than its scheme, as the rest may hold a password.
"""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from attrs import frozen

from kataven_core import AdapterFault
from kataven_core.ports import Clock, Line, LineOptions, Store


@frozen
class BuiltIn:
    """An adapter of this distribution: ``module:function``, how its URL is written, and the extra that it takes."""

    factory: str
    form: str
    extra: str | None = None


STORES: Final[Mapping[str, BuiltIn]] = {
    "memory": BuiltIn("kataven_adapters.memory:memory_store", "memory://"),
    "sqlite": BuiltIn("kataven_adapters.sqlite:sqlite_store", "sqlite:///PATH", extra="sqlite"),
}
LINES: Final[Mapping[str, BuiltIn]] = {
    "simulated": BuiltIn("kataven_adapters.simulated:simulated_line", "simulated://?seed=7"),
    "http": BuiltIn("kataven_adapters.http_line:http_line", "http://HOST:PORT", extra="http-line"),
    "https": BuiltIn("kataven_adapters.http_line:http_line", "https://HOST:PORT", extra="http-line"),
}
_NO_OPTIONS: Final = LineOptions()

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://.*", re.DOTALL)
_FILE_NAME = re.compile(r"[\w .~/-]*[\w/-]\.\w+")
"""What surely is the name of a file and holds no password; only that is quoted."""


def store_from_url(url: str) -> Store:
    """Give the store that a URL names.

    Raises ``AdapterFault``: ``invalid_url``, ``missing_extra`` for a driver that is not installed, ``broken_adapter``
    for an entry point that can't be used.
    """
    store: Store = _STORES.factory(url)(url)
    return store


def line_from_url(url: str, clock: Clock, options: LineOptions = _NO_OPTIONS) -> Line:
    """Give the line that a URL names; errors as those of ``store_from_url``, and ``invalid_options`` besides."""
    line: Line = _LINES.factory(url)(url, clock, options)
    return line


@frozen
class _Kind:
    """Adapters of one port."""

    word: str
    group: str
    built_in: Mapping[str, BuiltIn]

    def factory(self, url: str) -> Callable[..., Any]:
        """Give the function that makes what the URL names."""
        found = _SCHEME.fullmatch(url)
        if not found:
            raise self._no_url(url)
        scheme = found[1]
        if scheme in self.built_in:
            return _load_built_in(scheme, self.built_in[scheme])
        offers = tuple(entry_points(group=self.group, name=scheme))
        if not offers:
            raise self._unknown(scheme)
        return _load_offered(scheme, offers)

    def _no_url(self, text: str) -> AdapterFault:
        forms = " or ".join(each.form for each in self.built_in.values())
        if "sqlite" in self.built_in and _FILE_NAME.fullmatch(text):
            return _invalid(f"{text!r} is no URL of a {self.word}: did you mean sqlite:///{text}")
        return _invalid(f"this is no URL of a {self.word}: write it as {forms}")

    def _unknown(self, scheme: str) -> AdapterFault:
        names = sorted({*self.built_in, *entry_points(group=self.group).names})
        listed = ", ".join(f"{name}://" for name in names)
        close = get_close_matches(scheme, names, 1)
        hint = f": did you mean {close[0]}://" if close else ""
        return _invalid(f"there is no {self.word} of the kind {scheme}://, there is {listed}{hint}")


_STORES: Final = _Kind("store", "kataven_core.stores", STORES)
_LINES: Final = _Kind("line", "kataven_core.lines", LINES)


def _load_built_in(scheme: str, adapter: BuiltIn) -> Callable[..., Any]:
    module, _, function = adapter.factory.partition(":")
    try:
        found: Callable[..., Any] = getattr(import_module(module), function)
    except ModuleNotFoundError as error:
        if adapter.extra is None or str(error.name).startswith("kataven_"):
            raise  # ours is missing, not a driver: no extra would bring it
        raise AdapterFault(
            "missing_extra", f"{scheme}:// needs {error.name}: pip install 'kataven-core[{adapter.extra}]'"
        ) from None
    return found


def _load_offered(scheme: str, offers: tuple[EntryPoint, ...]) -> Callable[..., Any]:
    if len(offers) > 1:
        names = " and ".join(sorted(map(_name, offers)))
        raise _broken(f"{scheme}:// is offered by {names}: uninstall all but one")
    [offer] = offers
    try:
        found = offer.load()
    except Exception as error:  # importing what others wrote may raise anything
        what = f"{type(error).__name__}: {error}"
        raise _broken(f"{scheme}:// is offered by {_name(offer)}, which can't be loaded: {what}") from error
    if not callable(found):
        raise _broken(f"{scheme}:// is offered by {_name(offer)}, which is no function: tell its authors")
    factory: Callable[..., Any] = found
    return factory


def _name(offer: EntryPoint) -> str:
    return f"{offer.value} of {offer.dist.name}" if offer.dist else offer.value


def _invalid(message: str) -> AdapterFault:
    return AdapterFault("invalid_url", message)


def _broken(message: str) -> AdapterFault:
    return AdapterFault("broken_adapter", message)
