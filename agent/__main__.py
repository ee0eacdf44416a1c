"""`python -m agent` is `outrider`."""

import sys

from agent.cli.main import main

sys.exit(main())
