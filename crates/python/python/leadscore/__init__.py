"""How likely each open lead is to become a customer, with reasons, and the proof that the percentages hold.

`Data` takes a config and its tables once, and has a method for everything that is done with them. Tables are given as frames of any
library that has Arrow streams (pandas from 2.2 with pyarrow, polars, pyarrow, DuckDB), or are read from the files that the config
names. Results are tables that any of these libraries reads.
"""

from leadscore._data import Data
from leadscore._errors import LeadscoreWarning, NotFoundError
from leadscore._functions import check, evaluate, families, features, features_sql, history, monitor, rules, run, simulate, train
from leadscore._inputs import Config, Frame, Moment
from leadscore._model import Model
from leadscore._monitoring import Monitoring
from leadscore._native import Table, __version__
from leadscore._points import Points
from leadscore._registry import Registry
from leadscore._report import Chart, Explanation, Findings, Report
from leadscore._simulated import Simulated

__all__ = [
    "Chart",
    "Config",
    "Data",
    "Explanation",
    "Findings",
    "Frame",
    "LeadscoreWarning",
    "Model",
    "Moment",
    "Monitoring",
    "NotFoundError",
    "Points",
    "Registry",
    "Report",
    "Simulated",
    "Table",
    "__version__",
    "check",
    "evaluate",
    "families",
    "features",
    "features_sql",
    "history",
    "monitor",
    "rules",
    "run",
    "simulate",
    "train",
]
