"""``python -m kataven_adapters.cli``: the command where no script is installed."""

import sys

from .main import main

sys.exit(main())
