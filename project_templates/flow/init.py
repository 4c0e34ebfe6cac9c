"""Fill the data space: a job for each walk, as in any signac project."""

from __future__ import annotations

from pathlib import Path

import signac

project = signac.init_project(str(Path(__file__).parent))
for diffusivity in (0.25, 0.5, 1.0):
    for seed in range(4):
        project.open_job({"diffusivity": diffusivity, "seed": seed}).init()
print(f"{len(project)} walks")
