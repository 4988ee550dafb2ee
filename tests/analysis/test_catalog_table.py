"""What `orderfeeds catalog` wrote can be opened as a table."""

from pathlib import Path

import pytest

from nautilus_orderfeeds import analysis
from nautilus_orderfeeds.adapter.catalog import CatalogWriter
from nautilus_orderfeeds.adapter.custom_data import FeedHealth


def test_feed_health_as_a_table(tmp_path: Path) -> None:
    writer = CatalogWriter(tmp_path)
    states = ["CONNECTING", "LIVE", "CONNECTING", "LIVE", "DOWN"]
    for n, state in enumerate(states, 1):
        writer.add(
            FeedHealth(
                ts_event=n,
                ts_init=n,
                client_id="BSX",
                stream="BSX orders",
                state=state,
                last_frame_ns=n,
                connects=n // 2,
                gaps=0,
                malformed_frames=0,
                detail="",
            )
        )
    writer.flush()
    table = analysis.open_catalog_table(tmp_path, "custom_feed_health")
    told = table.order_by("ts_init").to_pyarrow().to_pylist()
    assert [(row["ts_init"], row["state"]) for row in told] == list(enumerate(states, 1))


def test_none_of_a_type(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no custom_order_feed_update in the catalog"):
        analysis.open_catalog_table(tmp_path, "custom_order_feed_update")
