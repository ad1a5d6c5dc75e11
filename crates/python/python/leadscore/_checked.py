"""Arguments that are plain values are what their annotations say, or the error names them."""

from __future__ import annotations

import functools
import numbers
from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, TypeVar

_Function = TypeVar("_Function", bound=Callable[..., Any])


def checked(function: _Function) -> _Function:
    """The function behind a check of its arguments: whole numbers, numbers, texts, True and False, and mappings."""
    own = signature(function)

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        try:
            given = own.bind(*arguments, **named).arguments
        except TypeError:
            # Python says best which argument is missing, or one too many.
            return function(*arguments, **named)
        for name, value in given.items():
            _check(name, value, str(own.parameters[name].annotation))
        return function(*arguments, **named)

    return call  # type: ignore[return-value]


def _check(name: str, value: Any, annotation: str) -> None:
    kind = annotation.removesuffix(" | None")
    if value is None and kind != annotation:
        return
    if kind == "bool" and not (isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")):
        raise TypeError(f"`{name}` is {value!r}: expected True or False")
    if kind == "int":
        if isinstance(value, bool) or not isinstance(value, numbers.Integral):
            raise TypeError(f"`{name}` is {value!r}: expected a whole number")
        if value < 0:
            raise ValueError(f"`{name}` is {value}: expected 0 or more")
    if kind == "float" and (isinstance(value, bool) or not isinstance(value, numbers.Real)):
        raise TypeError(f"`{name}` is {value!r}: expected a number")
    if (kind == "str" or kind.startswith("Literal[")) and not isinstance(value, str):
        raise TypeError(f"`{name}` is {value!r}: expected a text")
    if kind.startswith("Mapping[") and not isinstance(value, Mapping):
        raise TypeError(f"`{name}` is a {type(value).__name__}, expected a mapping")
