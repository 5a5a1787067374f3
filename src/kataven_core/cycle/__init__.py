"""One account's turn: ``decide(view, inputs, now) -> Decision``.

``view`` what is read, and what comes in; ``decision`` what is to be written, dialled and told; ``turn`` the working
state between the two; ``settle``, ``obey``, ``time_passes``, ``claim`` and ``look_ahead`` its steps, in this order.
"""

from .decide import decide
from .decision import AttemptChange, ContactChange, Decision, Order
from .view import AccountView, CampaignView, Command, CreateCampaign, Inputs, Operate, PutAccount, candidates_wanted

__all__ = [
    "AccountView",
    "AttemptChange",
    "CampaignView",
    "Command",
    "ContactChange",
    "CreateCampaign",
    "Decision",
    "Inputs",
    "Operate",
    "Order",
    "PutAccount",
    "candidates_wanted",
    "decide",
]
