"""Stories of corporate actions are told in the words of settlement stories."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE))
sys.path.append(str(HERE.parent / "settlement" / "stories"))

from event_story import EventStory  # noqa: E402


@pytest.fixture
def story() -> Iterator[EventStory]:
    """A house on Monday 5 January 2026; afterwards the same commands give the same state again."""
    told = EventStory()
    yield told
    told.end()
