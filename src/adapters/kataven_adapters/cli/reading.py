"""The options that say how a contacts file is to be read, the same for every command that reads one."""

import argparse

from kataven_core import CsvOptions, Duplicates, InvalidValue, NationalParser

from .failure import USAGE, CommandFailure
from .words import not_blank


def add_reading_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a command."""
    parser.add_argument(
        "--default-region", metavar="REGION", help="read numbers without + as those of REGION: US, GB, DE, …"
    )
    parser.add_argument(
        "--phone-column",
        metavar="NAME",
        type=not_blank,
        default="phone_number",
        help="the header of the numbers' column",
    )
    parser.add_argument(
        "--duplicates",
        choices=[each.value for each in Duplicates],
        default=Duplicates.REJECT.value,
        help="what becomes of a number that stood in an earlier row (default: reject)",
    )


def reading_options(arguments: argparse.Namespace) -> CsvOptions:
    """Give what was chosen."""
    return CsvOptions(
        phone_column=arguments.phone_column,
        duplicates=Duplicates(arguments.duplicates),
        national=national_numbers(arguments.default_region),
    )


def national_numbers(region: str | None) -> NationalParser | None:
    """Give the function that reads national numbers, when a region is named."""
    if region is None:
        return None
    try:
        from kataven_adapters.numbers import national_parser  # noqa: PLC0415 - loaded only for who needs it
    except ModuleNotFoundError:
        sentence = "--default-region needs the phonenumbers library: pip install 'kataven-core[numbers]'"
        raise CommandFailure(sentence) from None
    try:
        return national_parser(region)
    except InvalidValue as error:
        raise CommandFailure(f"--default-region: {error.message}", USAGE) from None
