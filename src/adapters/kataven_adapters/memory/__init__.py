"""The store in this process's memory: for trials, tests and hosts that keep nothing. Gone when it is closed."""

from kataven_core import AdapterFault

from .store import MemoryStore

__all__ = ["MemoryStore", "memory_store"]


def memory_store(url: str) -> MemoryStore:
    """Give the store that ``memory://`` names."""
    if url != "memory://":
        raise AdapterFault("invalid_url", f"{url} names more than a memory store has: write memory://")
    return MemoryStore()
