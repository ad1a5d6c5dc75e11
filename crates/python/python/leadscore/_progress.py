"""Who hears how the work goes: a notebook, a terminal, or the log alone."""

from __future__ import annotations

import logging
import sys
import time
import warnings
from typing import Any

from leadscore._errors import LeadscoreWarning

logger = logging.getLogger("leadscore")
logger.addHandler(logging.NullHandler())

# Remarks that begin like this say that a result is worth less than it looks.
_WARNINGS = ("warning: ", "note: ", "leak: ", "suspicious: ", "no signal")
# A stage that is shorter is not worth a line.
_SHORT = 0.5
# A reader follows no more than so many changes a second.
_EVERY = 0.2


def _caller() -> int:
    """How far up the stack the first caller is who is not of this package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).split(".")[0] == "leadscore":
        frame, level = frame.f_back, level + 1
    return level


class _Stage:
    def __init__(self, what: str) -> None:
        self.what = what
        self.begun = time.monotonic()
        # How much of it is done; None where nobody counts.
        self.share: float | None = None


class Listener:
    """Passes remarks to the log and to warnings, and shows the stages of the work where somebody looks."""

    def __init__(self) -> None:
        self._stages: dict[int, _Stage] = {}
        self._last = 0.0
        self._display = _display()

    def remark(self, text: str) -> None:
        """Something that a person should know."""
        if text.startswith(_WARNINGS):
            warnings.warn(text.removeprefix("warning: ").removeprefix("note: "), LeadscoreWarning, stacklevel=_caller())
        logger.info(text)

    def begin(self, stage: int, what: str) -> None:
        """A stage of the work begins."""
        self._stages[stage] = _Stage(what)
        logger.debug("%s", what)

    def at(self, stage: int, done: int, total: int) -> None:
        """So many of so many steps are done."""
        self._stages[stage].share = done / max(total, 1)
        self.tick()

    def tick(self) -> None:
        """Time goes by."""
        now = time.monotonic()
        if not self._stages or now - self._last < _EVERY:
            return
        stage = next(reversed(self._stages.values()))
        if now - stage.begun >= _SHORT:
            self._last = now
            self._display.show(stage.what, stage.share, now - stage.begun)

    def end(self, stage: int) -> None:
        """A stage of the work is over."""
        self._stages.pop(stage, None)
        if not self._stages:
            self._display.clear()


class _Nowhere:
    def show(self, what: str, share: float | None, seconds: float) -> None:
        pass

    def clear(self) -> None:
        pass


class _Terminal(_Nowhere):
    def __init__(self) -> None:
        self._is_shown = False

    def show(self, what: str, share: float | None, seconds: float) -> None:
        bar = "" if share is None else f" {'█' * round(30 * share):<30} {100 * share:3.0f} %"
        print(f"\r\x1b[K{what}{bar} {seconds:.0f} s", end="", file=sys.stderr, flush=True)
        self._is_shown = True

    def clear(self) -> None:
        if self._is_shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._is_shown = False


class _Notebook(_Nowhere):
    def __init__(self, display: Any, html: Any) -> None:
        self._show = display
        self._html = html
        self._handle: Any = None

    def show(self, what: str, share: float | None, seconds: float) -> None:
        value = "" if share is None else f' value="{share:.3f}"'
        bar = self._html(f'<progress max="1"{value}></progress> {what}, {seconds:.0f} s')
        if self._handle is None:
            self._handle = self._show(bar, display_id=True)
        else:
            self._handle.update(bar)

    def clear(self) -> None:
        if self._handle is not None:
            self._handle.update(self._html(""))
            self._handle = None


def _display() -> _Nowhere:
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive is not None else None
    if shell is not None and getattr(shell, "kernel", None) is not None:
        from IPython.display import HTML, display

        return _Notebook(display, HTML)
    return _Terminal() if sys.stderr is not None and sys.stderr.isatty() else _Nowhere()
