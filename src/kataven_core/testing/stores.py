"""What every store must do: each sentence of the port ``Store``, as tests."""

from .store_candidates import CandidatesContract
from .store_discarding import DiscardContract
from .store_durability import DurabilityContract, OpeningContract
from .store_failures import AllOrNothingContract
from .store_forgetting import ForgettingContract
from .store_histories import HistoriesContract
from .store_races import RacesContract
from .store_reads import AgendaContract, DialsSinceContract, ListsContract
from .store_receipts import ReceiptsContract
from .store_settling import SettleContract
from .store_staging import StagingContract
from .store_tenants import TenantContract, UnseenContract
from .store_usage import UsageContract
from .store_views import ViewContract


class StoreContract(
    OpeningContract,
    SettleContract,
    AllOrNothingContract,
    ViewContract,
    CandidatesContract,
    UsageContract,
    StagingContract,
    DiscardContract,
    ListsContract,
    DialsSinceContract,
    AgendaContract,
    TenantContract,
    UnseenContract,
    ReceiptsContract,
    ForgettingContract,
    RacesContract,
    HistoriesContract,
    DurabilityContract,
):
    """The whole suite; a test class that overrides ``new_store`` runs it.

    ``is_durable`` is to be False for a store that forgets everything when it is closed. Random stories are told by
    ``store_machine`` besides.
    """
