"""Nights between a plan and its application."""

from tests.meditation.conftest import meditate, night

__all__ = ["meditate", "night"]
