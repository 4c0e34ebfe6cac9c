"""Where text goes: colours on a terminal only, lines as long as they are elsewhere."""

from __future__ import annotations

import io
import os
import pty

from pointillist.view.console import console_for


def test_no_terminal() -> None:
    """A file gets plain text: no colours, no folding, no markup of its own."""
    stream = io.StringIO()
    console_for(stream).print("x" * 600 + " 12 :smile:", style="red", markup=False)
    assert "x" * 600 + " 12 :smile:\n" == stream.getvalue()


def test_terminal() -> None:
    """A terminal gets colours."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream:
        console = console_for(stream)
        assert console.is_terminal
    os.close(ours)
