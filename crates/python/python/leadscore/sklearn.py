"""The model as a classifier of scikit-learn, over a matrix that somebody else made."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from leadscore import _native
from leadscore._model import Model
from leadscore._progress import Listener

Column = tuple[str, bytes, list[str] | None]


class LeadScoreClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Log-odds as a sum of curves, levels and tables, each chosen only where folds say that it pays.

    Two classes only; the second of ``classes_`` is what probabilities are of. Missing values are read as they are, and so
    are columns of texts and categories in a frame: nothing need be imputed, scaled or encoded.

    Parameters
    ----------
    kind : {"additive", "linear"}
        The richest kind of model that may be chosen: curves and tables, or straight lines only.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The two classes.
    model_ : leadscore.Model
        The model: ``model_.inspect(curves=True)`` shows what it has learned.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where they are texts.

    Notes
    -----
    Rows are taken for leads of their own, in no order of time. Where a lead has several snapshots, or time matters,
    `leadscore.train` does better, because it sees both.
    """

    def __init__(self, kind: Literal["additive", "linear"] = "additive") -> None:
        self.kind = kind

    def fit(self, X: Any, y: Any) -> LeadScoreClassifier:
        """Fit the model.

        Parameters
        ----------
        X : array or frame of shape (n_samples, n_features)
            Numbers, NaN where missing; in a frame also texts and categories.
        y : array of shape (n_samples,)
            Two classes.
        """
        if self.kind not in ("additive", "linear"):
            raise ValueError(f"kind is {self.kind!r}, expected 'additive' or 'linear'")
        if y is None:
            raise ValueError(f"This {type(self).__name__} estimator requires y to be passed, but the target y is None.")
        n_rows, columns, y = self._columns(X, y)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) > 2:
            raise ValueError(f"Only binary classification is supported. The type of the target is {type_of_target(y)}.")
        if len(self.classes_) < 2:
            raise ValueError(f"y holds 1 class only, {self.classes_[0]!r}: a classifier needs two")
        if n_rows != len(codes):
            raise ValueError(f"X has {n_rows} rows and y has {len(codes)}")
        labels = [bool(code) for code in codes]
        self.model_ = Model(_native.fit_columns(Listener(), columns, labels, self.kind == "linear"))
        return self

    def decision_function(self, X: Any) -> Any:
        """Log-odds of the second class, of shape (n_samples,)."""
        check_is_fitted(self)
        n_rows, columns, _ = self._columns(X)
        return np.frombuffer(self.model_._native.score_columns(columns, n_rows), dtype=np.float64).copy()

    def predict_proba(self, X: Any) -> Any:
        """Probabilities of both classes, of shape (n_samples, 2)."""
        log_odds = self.decision_function(X)
        likelier = 1 / (1 + np.exp(-np.abs(log_odds)))
        won = np.where(log_odds >= 0, likelier, 1 - likelier)
        return np.column_stack([1 - won, won])

    def predict(self, X: Any) -> Any:
        """The likelier class of each row."""
        is_second = self.decision_function(X) > 0
        return self.classes_[is_second.astype(int)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags

    def _columns(self, X: Any, y: Any = None) -> tuple[int, list[Column], Any]:
        """Rows and columns of a frame or an array; `y` where the model is being fitted."""
        is_fitting = y is not None
        if hasattr(X, "columns") and hasattr(X, "shape"):
            validate_data(self, X, reset=is_fitting, skip_check_array=True)
            names = [str(name) for name in X.columns]
            if len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise ValueError(f"two columns are called {twice!r}: rename one of them")
            if X.shape[0] == 0:
                raise ValueError(f"Found array with 0 sample(s) (shape={X.shape}) while a minimum of 1 is required.")
            return X.shape[0], [_column(name, X[original]) for name, original in zip(names, X.columns, strict=True)], y
        checked = validate_data(self, X, y if is_fitting else "no_validation", reset=is_fitting, ensure_all_finite="allow-nan", dtype=np.float64)
        values, y = checked if is_fitting else (checked, None)
        columns: list[Column] = [(f"x{column}", np.ascontiguousarray(values[:, column]).tobytes(), None) for column in range(values.shape[1])]
        return values.shape[0], columns, y


def _column(name: str, series: Any) -> Column:
    """A column of a frame: numbers as they are, anything else as levels."""
    numbers = _numbers(series)
    if numbers is not None:
        if np.isinf(numbers).any():
            raise ValueError(f"Input X contains infinity in column {name!r}.")
        return name, numbers.tobytes(), None
    texts = [None if _is_missing(value) else str(value) for value in series.to_list()]
    levels = sorted({text for text in texts if text is not None})
    codes = {text: code for code, text in enumerate(levels)}
    return name, np.array([-1 if text is None else codes[text] for text in texts], dtype=np.int32).tobytes(), levels


def _numbers(series: Any) -> Any:
    """The series as 64-bit floats with NaN for missing; None where it does not hold numbers."""
    dtype = series.dtype
    if hasattr(dtype, "is_numeric"):
        # polars
        if not (dtype.is_numeric() or str(dtype) == "Boolean"):
            return None
        import polars

        return np.ascontiguousarray(series.cast(polars.Float64).to_numpy(), dtype=np.float64)
    if getattr(dtype, "kind", "O") not in "buif" or str(dtype) == "category":
        return None
    return np.ascontiguousarray(series.to_numpy(dtype=np.float64, na_value=np.nan))


def _is_missing(value: Any) -> bool:
    """None, NaN and pandas' NA: what is not equal to itself, or cannot say."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except TypeError:
        return True
