"""The application over a database that a test has filled, as a process of its own."""

import sys
from pathlib import Path

from tests.builders import playbook
from tests.running import Installation
from tests.tui.desks import Desk


def main() -> None:
    """Open the application over the folder that is named, for the reviewer that is named."""
    folder = Path(sys.argv[1])
    installation = Installation(database_url=f"sqlite:///{folder / 'outrider.db'}", folder=folder)
    installation.started = 1_000
    late = playbook("shipping_delay", holdout=None, review="required")
    app = installation.start(playbooks={"shipping_delay": late})
    Desk(installation=installation, app=app).terminal(sys.argv[2]).run()


if __name__ == "__main__":
    main()
