"""Where the texts that come with the product are, for those who only name the folders."""

from pathlib import Path
from typing import Final

TEMPLATE_FOLDER: Final = Path(__file__).parent / "templates"
"""Approved templates, by scenario."""
LIBRARY_FOLDER: Final = Path(__file__).parent / "library"
"""Prompts with their versions."""
