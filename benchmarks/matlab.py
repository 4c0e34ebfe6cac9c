"""What a MATLAB step costs in a session that is started once, and with a start for each.

``python benchmarks/matlab.py [--steps 200] [--folder DIR]`` prints a line of a Markdown table. The
same steps on GNU Octave, once each way, in whole processes. What the steps cost is the time of a
run less that of a run in which nothing is left to do. Outputs and logs that differ are refused.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from drop_in import measured

PROJECT = """
from pathlib import Path

import pointillist as pt


class Item(pt.Record):
    i: int = pt.key()

    table: Path = pt.matlab("tabulate", i, pt.out).to("table.txt")


class Lab(pt.Project):
    records = (Item,)


if __name__ == "__main__":
    Lab().main()
"""

TABULATE = """function tabulate(n, out)
    persistent calls
    calls = [calls n];
    values = cumsum((1:1000) * n);
    fprintf('%d calls, the sum is %g\\n', numel(calls), values(end));
    file = fopen(out, 'w');
    fprintf(file, '%d\\n', values);
    fclose(file);
end
"""


def made(root: Path, name: str, steps: int) -> Path:
    """Make a project with so many records."""
    folder = root / name
    (folder / "matlab").mkdir(parents=True)
    (folder / "project.py").write_text(PROJECT)
    (folder / "matlab" / "tabulate.m").write_text(TABULATE)
    fill = f"from project import Item, Lab\nLab().add_product(Item, i=range({steps}))\n"
    measured(["-c", fill], folder)
    return folder


def results(folder: Path) -> dict[str, bytes]:
    """Return all outputs and logs."""
    files = [*folder.glob("workspace/*/table.txt"), *folder.rglob("logs/*.log")]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def main() -> None:
    """Compare the two ways."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--folder", help="Where the projects are made; by default a new one.")
    args = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="matlab-", dir=args.folder))
    try:
        took, found = {}, {}
        for name, options in (("warm", []), ("cold", ["--cold-matlab"])):
            folder = made(root, name, args.steps)
            run = ["project.py", "run", "--matlab", "octave-cli", *options]
            full = measured(run, folder)[0]
            took[name] = full - measured(run, folder)[0]
            found[name] = results(folder)
    finally:
        shutil.rmtree(root)
    if found["warm"] != found["cold"] or len(found["warm"]) != 2 * args.steps:
        raise SystemExit("the outputs or logs differ.")
    warm, cold = took["warm"], took["cold"]
    print("| steps | started once | started for each | a step | ratio |\n|---|---|---|---|---|")
    each = f"{1000 * warm / args.steps:.1f} / {1000 * cold / args.steps:.1f} ms"
    print(f"| {args.steps} | {warm:.2f} s | {cold:.2f} s | {each} | {cold / warm:.1f} |")


if __name__ == "__main__":
    main()
