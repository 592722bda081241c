"""Every custody story starts with an open house and ends with its replay."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from custody_story import CustodyStory


@pytest.fixture
def story() -> Iterator[CustodyStory]:
    """A house on Monday 5 January 2026; afterwards the same commands give the same state again."""
    told = CustodyStory()
    yield told
    told.end()
