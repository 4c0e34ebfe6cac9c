"""Ten thousand tiles of a sky survey; the campaign has been going on for a while."""
# ruff: noqa: PTH102, PTH103, PTH118, PTH123  # as people write them

import json
import os

import signac
from signac.job import calc_id

project = signac.init_project()
os.makedirs(project.workspace, exist_ok=True)

for number in range(10_000):
    # As `open_job(...).init()` makes it, but faster.
    statepoint = {"field": number // 100, "tile": number % 100, "band": "gri"[number % 3]}
    folder = os.path.join(project.workspace, calc_id(statepoint))
    os.mkdir(folder)
    files = {"signac_statepoint.json": json.dumps(statepoint)}
    if number % 2 == 0:
        files["image.fits"] = ""
    if number % 4 == 0:
        files["sources.txt"] = f"{number}\n"
    if number % 8 == 0:
        files["signac_job_document.json"] = json.dumps({"matched": True, "quality": number % 16})
    for name, text in files.items():
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
