"""A group that knows subcommands by module and name and imports one only when it is called, for a quick ``--help``."""

from __future__ import annotations

import importlib
from typing import Any

import click


class LazyGroup(click.Group):
    """A group with rows ``name: (module, attribute, help)`` beside the commands that are defined in place."""

    def __init__(self, *arguments: Any, lazy: dict[str, tuple[str, str, str]], **settings: Any) -> None:
        """Keep the rows; the rest is click's own."""
        super().__init__(*arguments, **settings)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all subcommands."""
        return sorted({*super().list_commands(ctx), *self._lazy})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one subcommand, imported when it lives elsewhere; None when there is no such name."""
        if cmd_name not in self._lazy:
            return super().get_command(ctx, cmd_name)
        module, attribute, _ = self._lazy[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}.{attribute} is no click command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of subcommands without importing them."""
        own = {name: command.get_short_help_str(80) for name, command in self.commands.items()}
        own.update({name: entry[2] for name, entry in self._lazy.items()})
        with formatter.section("Commands"):
            formatter.write_dl(sorted(own.items()))
