"""The command `fornet`: one module for each subcommand, data on stdout, messages on stderr."""

from fornet_hf.cli.main import main

__all__ = ["main"]
