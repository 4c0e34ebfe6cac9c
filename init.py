#!/usr/bin/env python3
"""Make a project from a template and fill its data space: ``python init.py [template] [folder]``.

This is for a clone of the repository; where pointillist is installed, ``pointillist new`` does it.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shlex
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
EXAMPLES = """\
examples:
  python init.py                      the template recordings, into ./recordings
  python init.py harbor               another template, into ./harbor
  python init.py recordings my_lab    into a folder of your choice
"""


def find_pointillist() -> None:
    """Go on with the interpreter of ``.venv`` where this one has no pointillist."""
    if importlib.util.find_spec("pointillist") is not None:
        return
    venv = (HERE / ".venv").resolve()
    python = venv / "bin" / "python"
    if python.exists() and Path(sys.prefix).resolve() != venv:
        os.execv(python, [str(python), *sys.argv])
    sys.exit(
        f"init.py: pointillist is not installed for {sys.executable}. Run `make setup` in {HERE}, "
        "then this again."
    )


def main() -> None:
    """Copy the template, run its own ``init.py``, say how to go on."""
    find_pointillist()
    from pointillist.cli import templates
    from pointillist.errors import TemplateError

    listed = "\n".join(f"  {name:<12}{templates.description(name)}" for name in templates.names())
    parser = argparse.ArgumentParser(
        description="Make a project from a template and fill its data space.",
        epilog=f"templates:\n{listed}\n\n{EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("template", nargs="?", default="recordings", help="default: recordings")
    parser.add_argument("folder", nargs="?", type=Path, help="default: ./<template>")
    arguments = parser.parse_args()
    folder: Path = arguments.folder or Path(arguments.template)
    try:
        templates.copy(arguments.template, folder)
        templates.fill(folder)
    except TemplateError as error:
        sys.exit(f"init.py: {error}")
    # `python` if that is this interpreter, else its path
    activated = os.environ.get("VIRTUAL_ENV") == sys.prefix
    python = "python" if activated else shlex.quote(sys.executable)
    print(f"{folder} is ready. Go on with\n")
    print(f"  cd {shlex.quote(str(folder))}")
    print(f"  {python} project.py run")
    print(f"  {python} project.py status")


if __name__ == "__main__":
    main()
