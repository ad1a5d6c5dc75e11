"""Exceptions and warnings of the package."""

from __future__ import annotations


class NotFoundError(KeyError):
    """A column or a lead that is named and is not there."""

    def __str__(self) -> str:
        # A KeyError prints the repr of its text, with line ends as \n.
        return str(self.args[0]) if self.args else ""


class LeadscoreWarning(UserWarning):
    """Something about the data that makes a result worth less."""
