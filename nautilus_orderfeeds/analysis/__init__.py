"""Analysis of journals: what happened to orders, how long it took, what it cost (extra `analysis`).

`open_journals` reads journals into DuckDB tables; `write_parquet` and `open_parquet` move the same tables to files and
to any other engine that Ibis knows. The measures are Ibis expressions, so they run unchanged wherever the tables are.

This room knows `orders` only: no venue, no framework.
"""

from importlib.util import find_spec

if find_spec("ibis") is None:
    raise ModuleNotFoundError(
        'the analysis needs Ibis and Plotly: pip install "orderfeeds-nt-community[analysis]"', name="ibis"
    )

from nautilus_orderfeeds.analysis.measures import (
    cancel_latency,
    distribution,
    fees,
    fill_ratio,
    partial_fills,
    time_to_accept,
    time_to_first_fill,
)
from nautilus_orderfeeds.analysis.tables import (
    Tables,
    open_catalog_table,
    open_journals,
    open_parquet,
    read_journals,
    write_parquet,
)
from nautilus_orderfeeds.analysis.timeline import Moment, Step, lifecycle_path, lifecycle_timeline

__all__ = [
    "Moment",
    "Step",
    "Tables",
    "cancel_latency",
    "distribution",
    "fees",
    "fill_ratio",
    "lifecycle_path",
    "lifecycle_timeline",
    "open_catalog_table",
    "open_journals",
    "open_parquet",
    "partial_fills",
    "read_journals",
    "time_to_accept",
    "time_to_first_fill",
    "write_parquet",
]
