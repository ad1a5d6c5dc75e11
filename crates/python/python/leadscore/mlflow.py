"""Models in MLflow: logged with their card, loaded as pyfuncs that score features."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import mlflow.pyfunc

import leadscore
from leadscore._model import Model

_FILE = "model.leadscore"


class _Scorer:
    """Scores frames of a model's features."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def predict(self, model_input: Any, params: Any = None) -> Any:
        return self.model.score_features(model_input).to_pandas()


def _load_pyfunc(path: str) -> _Scorer:
    """What MLflow calls to load a logged model: nothing is unpickled."""
    return _Scorer(Model.load(path))


def log_model(model: Model, name: str = "model") -> Any:
    """Log a model to the active run, with the figures of its card.

    Parameters
    ----------
    model : Model
        The model.
    name : str
        Name of the logged model.

    Returns
    -------
    mlflow.models.model.ModelInfo
    """
    card = model.card
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / _FILE
        model.save(path)
        info = mlflow.pyfunc.log_model(
            name=name,
            loader_module="leadscore.mlflow",
            data_path=str(path),
            pip_requirements=[f"leadscore=={leadscore.__version__}", "pandas", "pyarrow"],
            metadata={"model_id": model.id, "training_cutoff": card["training_cutoff"], "limitations": card["limitations"]},
        )
    mlflow.log_metrics(dict(card["metrics"]))
    return info
