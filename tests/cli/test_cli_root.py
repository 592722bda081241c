"""The root command: it answers fast, knows its subcommands and turns refusals into exit codes."""

from __future__ import annotations

import importlib
import subprocess
import sys

import click

from tsingma.cli import main as cli


def test_help_imports_no_subcommand() -> None:
    """Goal: ``--help`` stays under 150 ms. Method: in a fresh process, count what it imported; none is heavy."""
    code = (
        "import sys; from tsingma.cli.main import main; main(['--help']);"
        "heavy = {'numpy', 'numba', 'polars', 'rich', 'sqlite3'} & set(sys.modules);"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Commands:" in done.stdout


def test_every_subcommand_loads_and_has_an_example() -> None:
    """Goal: no name in the list leads nowhere, and help teaches. Method: import each command tree and read its help."""
    for module, attribute, _ in cli._SUBCOMMANDS.values():
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        leaves = list(command.commands.values()) if isinstance(command, click.Group) else [command]
        for leaf in leaves:
            text = leaf.get_help(click.Context(leaf, info_name=leaf.name))
            assert "tsingma " in text, f"{module}:{leaf.name}: end the help with an example"


def test_unknown_command_is_refused_with_exit_code_two() -> None:
    """Goal: a typing error changes nothing and says so. Method: call a name that does not exist."""
    assert cli.main(["no-such-command"]) == cli.EXIT_REFUSED
