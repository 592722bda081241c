"""How long work tells how far it is; the command line draws it, tests and programs may ignore it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Takes the name of the stage under way and how much of it is done."""

    def stage(self, name: str, done: int, total: int) -> None:
        """Report ``done`` of ``total`` units of stage ``name``."""
        ...


class Silent:
    """Reports to nobody."""

    def stage(self, name: str, done: int, total: int) -> None:
        """Do nothing."""
