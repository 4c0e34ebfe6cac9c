"""Fill the data space: every pair of a temperature and a replica becomes a job."""

from __future__ import annotations

from project import Magnet, Run, Sweep, Temperature

sweep = Sweep()
sweep.add_product(
    Run,
    temperature=[1.5, 1.75, 2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 2.75, 3.0, 3.5],
    replica=range(4),
)
print(
    f"{len(sweep[Run])} runs, {len(sweep[Temperature])} temperatures, {len(sweep[Magnet])} magnet"
)
