"""The registry of models: which one scores, since when, and who decided that."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leadscore import _native
from leadscore._checked import checked
from leadscore._model import Model

# `list` is a method of the class.
_Records = list[dict[str, Any]]


class Registry:
    """A folder of models with a journal of what was decided about them, as `leadscore models` has it.

    Every call looks at the folder anew. A model is named by its ID, by a beginning of its ID, or by `@champion`, `@challenger` or
    `@previous`.

    Parameters
    ----------
    path : path, default "models"
        The folder; one that does not exist is an empty registry, and is made by the first change.

    Raises
    ------
    ValueError
        The journal is not what was written: `leadscore models verify` says where.
    """

    def __init__(self, path: str | os.PathLike[str] = "models") -> None:
        self.path = Path(path)
        self._native = _native.Registry.open(self.path)

    def __repr__(self) -> str:
        models = self.list()
        return f"Registry {str(self.path)!r} ({len(models)} {'model' if len(models) == 1 else 'models'}, champion {self.roles['champion']})"

    def list(self) -> _Records:
        """The models in the order in which they were added: ID, training cutoff, SHA-256 of the file, roles, and whether it is retired."""
        found: _Records = json.loads(self._native.models())
        return found

    @property
    def roles(self) -> dict[str, str | None]:
        """ID of the `champion`, the `challenger` and the `previous` champion, or None."""
        found: dict[str, str | None] = json.loads(self._native.roles())
        return found

    @property
    def champion(self) -> Model:
        """The model that scores; raises NotFoundError where there is none yet."""
        return self.find("@champion")

    @checked
    def find(self, name: str) -> Model:
        """A model, after a look at every byte of its file.

        Raises
        ------
        NotFoundError
            The registry has no such model.
        ValueError
            The file is not the one that was added, or the name is the beginning of several IDs.
        """
        return Model(self._native.find(name))

    def add(self, model: Model) -> str:
        """Take a model in; returns its ID. The same model again is no new one."""
        return self._native.add(model._native)

    @checked
    def promote(self, name: str, because: str, evidence: Mapping[str, Any] | None = None) -> bool:
        """Make a model the champion; returns False where it was the champion already.

        Parameters
        ----------
        name : str
            The model.
        because : str
            Why, for whoever asks later.
        evidence : mapping, optional
            Figures that it was decided by, as JSON has them.

        Raises
        ------
        BlockingIOError
            Another process changes the registry.
        """
        return self._native.promote(name, _reason(because), None if evidence is None else json.dumps(dict(evidence), allow_nan=False))

    @checked
    def revert(self, because: str = "") -> None:
        """Make the previous champion the champion again; a second time undoes the first."""
        self._native.revert(because)

    @checked
    def retire(self, name: str, because: str) -> bool:
        """Say that a model is not to be used any more; its file stays. Returns False where it was retired already."""
        return self._native.retire(name, _reason(because))

    def verify(self) -> _Records:
        """What is not as it was written: each finding has a `kind`, a `place`, a sentence (`found`) and a `hint`; none is good."""
        found: _Records = json.loads(self._native.verify())
        return found

    @checked
    def why(self, name: str | None = None) -> _Records:
        """Who decided what about a model, why, and by which figures, the latest last; about the champion if no model is named."""
        found: _Records = json.loads(self._native.why(name))
        return found

    @property
    def journal(self) -> _Records:
        """What happened, in order."""
        found: _Records = json.loads(self._native.journal())
        return found


def _reason(because: str) -> str:
    if not because.strip():
        raise ValueError("`because` is empty: say why, for whoever asks later")
    return because.strip()
