"""A contacts file on its way into the store: as it comes, a thousand rows at a time."""

import json
from collections.abc import AsyncIterator, Sequence
from io import BytesIO
from typing import BinaryIO

import pytest
from tests.core.runtime.conftest import contacts_csv

from kataven_adapters.memory import MemoryStore
from kataven_core import (
    AccountId,
    CampaignId,
    ContactsFileError,
    ContactsParser,
    CsvOptions,
    Duplicates,
    FileFault,
    RejectCode,
    RejectedRow,
)
from kataven_core.ports import MAX_STAGED_ROWS, StagedContact
from kataven_core.runtime.imports import Import, ImportProgress
from kataven_core.testing.samples import ACME, a_number

A = CampaignId("a")


class Shelf(MemoryStore):
    """Keeps what was staged, step by step."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[tuple[Sequence[StagedContact], Sequence[RejectedRow]]] = []

    async def stage(
        self,
        account_id: AccountId,
        campaign_id: CampaignId,
        contacts: Sequence[StagedContact],
        rejects: Sequence[RejectedRow] = (),
    ) -> None:
        assert (account_id, campaign_id) == (ACME, A)
        self.steps.append((contacts, rejects))

    @property
    def sizes(self) -> list[tuple[int, int]]:
        return [(len(contacts), len(rejects)) for contacts, rejects in self.steps]

    @property
    def positions(self) -> list[int]:
        return [each.position for contacts, _ in self.steps for each in contacts]


async def chunks(data: bytes, size: int) -> AsyncIterator[bytes]:
    for begin in range(0, len(data), size):
        yield data[begin : begin + size]


async def run(store: Shelf, data: bytes | AsyncIterator[bytes], options: CsvOptions | None = None) -> int:
    source: BinaryIO | AsyncIterator[bytes] = BytesIO(data) if isinstance(data, bytes) else data
    return await Import(store, ACME, A, ContactsParser(options)).run(source, None)


async def test_each_row_is_staged_with_its_number_and_fields_as_json() -> None:
    store = Shelf()
    assert await run(store, "phone_number,name,city\n+1 (415) 000-0000,Ada,\n+14150000001,Zoë,Köln\n".encode()) == 2
    ((contacts, rejects),) = store.steps
    assert [(each.position, each.phone_number) for each in contacts] == [(0, a_number(0)), (1, a_number(1))]
    assert [json.loads(each.custom_fields_json) for each in contacts] == [
        {"name": "Ada", "city": ""},
        {"name": "Zoë", "city": "Köln"},
    ]
    assert "Zoë" in contacts[1].custom_fields_json
    assert rejects == []


@pytest.mark.parametrize("rows", [1, 999, 1_000, 1_001, 5_432])
async def test_no_more_is_staged_at_once_than_a_store_takes(rows: int) -> None:
    store = Shelf()
    assert await run(store, contacts_csv(rows)) == rows
    full, rest = divmod(rows, MAX_STAGED_ROWS)
    assert store.sizes == [(MAX_STAGED_ROWS, 0)] * full + [(rest, 0)] * bool(rest)
    assert store.positions == [*range(rows)]


async def test_few_are_staged_at_once_where_each_is_stored_with_long_names() -> None:
    store = Shelf()
    names = ",".join(f"{n:04}" * 1_000 for n in range(50))
    rows = "".join(f"+1415{n:07},x\n" for n in range(100))
    assert await run(store, f"phone_number,{names}\n{rows}".encode()) == 100
    assert max(sum(len(each.custom_fields_json) for each in contacts) for contacts, _ in store.steps) < 5_000_000
    assert store.positions == [*range(100)]


@pytest.mark.parametrize("size", [1, 7, 10_000, 1_000_000])
async def test_the_same_is_staged_however_the_file_comes_in_pieces(size: int) -> None:
    whole, pieces = Shelf(), Shelf()
    data = contacts_csv(1_500)
    await run(whole, data)
    assert await run(pieces, chunks(data, size)) == 1_500
    assert pieces.steps == whole.steps


async def test_rejected_rows_are_staged_beside_the_accepted_and_kept_in_order() -> None:
    store = Shelf()
    rows = [f"{a_number(index)}\n12\n" if index % 2 else f"{a_number(index)}\n" for index in range(2_500)]
    assert await run(store, ("phone_number\n" + "".join(rows)).encode()) == 2_500
    assert [sum(step) for step in zip(*store.sizes, strict=True)] == [2_500, 1_250]
    assert all(accepted <= MAX_STAGED_ROWS and rejected <= MAX_STAGED_ROWS for accepted, rejected in store.sizes)
    rejects = [each for _, step in store.steps for each in step]
    assert [each.line for each in rejects] == sorted(each.line for each in rejects)
    assert {each.code for each in rejects} == {RejectCode.INVALID_NUMBER}


async def test_a_file_of_rejects_alone_is_staged_in_steps_before_it_is_refused() -> None:
    store = Shelf()
    with pytest.raises(ContactsFileError) as raised:
        await run(store, b"phone_number\n" + b"12\n" * 2_500)
    assert raised.value.code == FileFault.NO_ACCEPTED_ROW
    assert all(rejected <= MAX_STAGED_ROWS for _, rejected in store.sizes)


async def test_the_options_say_how_the_file_is_read() -> None:
    store = Shelf()
    file = f"tel\n{a_number(1)}\n{a_number(1)}\n".encode()
    assert await run(store, file, CsvOptions(phone_column="tel", duplicates=Duplicates.KEEP)) == 2
    assert store.positions == [0, 1]


async def test_whoever_wants_to_hears_how_far_it_has_come() -> None:
    heard: list[ImportProgress] = []
    data = contacts_csv(2_000) + b"12\n"
    pieces = chunks(data, len(data) // 3 + 1)
    await Import(Shelf(), ACME, A, ContactsParser()).run(pieces, heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == ImportProgress(accepted=2_000, rejected=1)
    assert len(heard) == 4
    assert 0 < heard[0].accepted < 2_000
