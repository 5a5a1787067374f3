"""The configuration file as a command reads it: what is wrong in it ends the command, what is doubtful is told."""

from kataven_adapters.config import Config, load_config
from kataven_core import InvalidValue

from .failure import CommandFailure
from .output import note, one_line


def read_config(file: str) -> Config:
    """Read it; ``CommandFailure`` names all that is wrong."""
    try:
        config = load_config(file)
    except InvalidValue as error:
        raise CommandFailure(one_line(error.message)) from None
    for warning in config.warnings:
        note(one_line(f"{file}: {warning}"))
    return config
