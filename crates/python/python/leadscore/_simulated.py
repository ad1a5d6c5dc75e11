"""A made-up CRM in memory."""

from __future__ import annotations

from functools import cached_property
from typing import TypedDict

from leadscore._data import Data
from leadscore._native import Table


class Tables(TypedDict):
    """Tables as the functions of the package take them."""

    leads: Table
    activities: dict[str, Table]
    outcomes: Table
    lookups: dict[str, Table]


class Simulated:
    """A made-up CRM whose truth is known.

    Attributes
    ----------
    tables : dict
        The tables, to be passed on: ``leadscore.train(**crm.tables, config=crm.config)``.
    config : dict
        What their columns mean.
    data : Data
        Both, opened: ``crm.data.train()``.
    truth : Table
        For each lead and month's first, the probability of a win within 90 days that an all-knowing observer would give.
    """

    def __init__(self, tables: Tables, config: dict[str, object], truth: Table) -> None:
        self.tables = tables
        self.config = config
        self.truth = truth

    @cached_property
    def data(self) -> Data:
        return Data(self.config, **self.tables)

    def __repr__(self) -> str:
        return f"Simulated CRM of {len(self.tables['leads'])} leads"
