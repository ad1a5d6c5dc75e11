"""The model as a classifier of scikit-learn, over a matrix that somebody else made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data

from leadscore import _native
from leadscore._model import Model
from leadscore._progress import Listener

Column = tuple[str, bytes, list[str] | None]


class LeadScoreClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Log-odds as a sum of shape functions, levels and interactions, each chosen only where folds say that it pays.

    Two classes only; the second of ``classes_`` is what probabilities are of. Missing values are read as they are, and so
    are columns of texts and categories in a frame: nothing need be imputed, scaled or encoded.

    Parameters
    ----------
    kind : {"additive", "linear"}
        The richest kind of model that may be chosen: shape functions and pairwise interactions (GA²M), or linear terms only.
    max_pairs : int
        Most pairwise interactions that an additive model may have; 0 for none.
    l1_ratio : float
        Share of the penalty of linear terms that is a lasso, 0 to 1; for ``kind="linear"`` only. The weakest columns are then
        zeroed.
    directions : mapping from column to {"increasing", "decreasing"}, optional
        Columns of numbers whose effect may only rise or fall; they have no interactions.
    smoothing : {"reml", "folds"}, optional
        How penalties are chosen: ``reml`` estimates a smoothing parameter for each term, ``folds`` takes one for all terms of a kind
        by cross-validation. By default ``reml`` where there are enough rows for it, 200 of each class, and no lasso.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The two classes.
    model_ : leadscore.Model
        The model: ``model_.inspect(shapes=True)`` shows what it has learned.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where they are texts.

    Notes
    -----
    Rows are taken for leads of their own, in no order of time. Where a lead has several snapshots, or time matters,
    `leadscore.train` does better, because it sees both.
    """

    def __init__(
        self,
        kind: Literal["additive", "linear"] = "additive",
        *,
        max_pairs: int = 30,
        l1_ratio: float = 0.0,
        directions: Mapping[str, Literal["increasing", "decreasing"]] | None = None,
        smoothing: Literal["reml", "folds"] | None = None,
    ) -> None:
        self.kind = kind
        self.max_pairs = max_pairs
        self.l1_ratio = l1_ratio
        self.directions = directions
        self.smoothing = smoothing

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LeadScoreClassifier:
        """Fit the model.

        Parameters
        ----------
        X : array or frame of shape (n_samples, n_features)
            Numbers, NaN where missing; in a frame also texts and categories.
        y : array of shape (n_samples,)
            Two classes.
        sample_weight : array of shape (n_samples,), optional
            How much each row counts, 0 or more. Whole numbers are counts: a row of weight 3 is as good as that row three times, and
            one of weight 0 is left out. Other weights, and whole ones of more than ten million together, say how much each row counts
            beside the others, and do not make more rows: twice as large ones change nothing.
        """
        if self.kind not in ("additive", "linear"):
            raise ValueError(f"kind is {self.kind!r}, expected 'additive' or 'linear'")
        if self.max_pairs < 0:
            raise ValueError(f"max_pairs is {self.max_pairs}, expected 0 or more")
        if y is None:
            raise ValueError(f"This {type(self).__name__} estimator requires y to be passed, but the target y is None.")
        n_rows, columns, y = self._columns(X, y)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) > 2:
            raise ValueError(f"Only binary classification is supported. The type of the target is {type_of_target(y)}.")
        if len(self.classes_) < 2:
            raise ValueError(f"y has 1 class only, {self.classes_[0]!r}: a classifier needs two")
        if n_rows != len(codes):
            raise ValueError(f"X has {n_rows} {'row' if n_rows == 1 else 'rows'} and y has {len(codes)}")
        rows, weights = np.arange(n_rows), None
        if sample_weight is not None:
            rows, weights = _weighted(_check_sample_weight(sample_weight, codes, dtype=np.float64, ensure_non_negative=True))
            if len(np.unique(codes[rows])) < 2:
                raise ValueError("y has 1 class only once rows of weight 0 are left out: a classifier needs two classes")
        # In an order of their own, so that the order in which rows come changes nothing.
        columns = [_rows_of(column, rows) for column in columns]
        labels = codes[rows]
        keys = [_values(column) for column in columns] + [labels] + ([] if weights is None else [weights])
        order = np.lexsort(keys[::-1])
        native = _native.fit_columns(
            Listener(),
            [_rows_of(column, order) for column in columns],
            labels[order].astype(bool).tolist(),
            None if weights is None else weights[order].tolist(),
            self.kind == "linear",
            self.max_pairs,
            self.l1_ratio,
            [(str(name), str(direction)) for name, direction in (self.directions or {}).items()],
            self.smoothing,
        )
        self.model_ = Model(native)
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
                raise ValueError(f"two columns are called {twice!r}\n  hint: rename one of them")
            if X.shape[0] == 0:
                raise ValueError(f"Found array with 0 sample(s) (shape={X.shape}) while a minimum of 1 is required.")
            return X.shape[0], [_column(name, X[original]) for name, original in zip(names, X.columns, strict=True)], y
        checked = validate_data(self, X, y if is_fitting else "no_validation", reset=is_fitting, ensure_all_finite="allow-nan", dtype=np.float64)
        values, y = checked if is_fitting else (checked, None)
        columns: list[Column] = [(f"x{column}", np.ascontiguousarray(values[:, column]).tobytes(), None) for column in range(values.shape[1])]
        return values.shape[0], columns, y


# Whole weights are counts where they make no more rows than this.
_MOST_ROWS = 10_000_000


def _weighted(weights: Any) -> tuple[Any, Any]:
    """Which rows count, and how much each does beside the others, if not alike: whole numbers are counts."""
    if (weights == np.rint(weights)).all() and weights.sum() <= _MOST_ROWS:
        return np.repeat(np.arange(len(weights)), weights.astype(np.int64)), None
    rows = np.flatnonzero(weights)
    return rows, weights[rows]


def _values(column: Column) -> Any:
    """The numbers of a column, or the codes of its levels."""
    _, values, levels = column
    return np.frombuffer(values, dtype=np.float64 if levels is None else np.int32)


def _rows_of(column: Column, rows: Any) -> Column:
    """The same column with these rows, and the levels that they have."""
    name, _, levels = column
    values = _values(column)[rows]
    if levels is not None:
        found, codes = np.unique(values, return_inverse=True)
        n_missing = int(found[:1].tolist() == [-1])
        levels = [levels[code] for code in found[n_missing:]]
        values = (codes - n_missing).astype(np.int32)
    return name, values.tobytes(), levels


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
    """The series as 64-bit floats with NaN for missing; None where it has no numbers."""
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
