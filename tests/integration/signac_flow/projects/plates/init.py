"""One job per well of a fluorescence plate; the readings are made up."""
# ruff: noqa: PTH123  # as people write them

import signac

project = signac.init_project()
project.doc.plate = "2023-11-04 a"

for row in "AB":
    for column in range(1, 4):
        job = project.open_job(
            {"row": row, "column": column, "dye": "FAM" if column % 2 else "HEX"}
        )
        job.init()
        with open(job.fn("reading.csv"), "w") as file:
            file.write("cycle,signal\n")
            for cycle in range(1, 6):
                file.write(f"{cycle},{(ord(row) - 60) * column * 1.5**cycle:.3f}\n")

# The pipette missed this one: there is nothing to fit.
empty = project.open_job({"row": "H", "column": 12, "dye": "FAM"})
empty.init()
with open(empty.fn("reading.csv"), "w") as file:
    file.write("cycle,signal\n")

# This one was labelled by hand.
unlabelled = project.open_job({"row": "H", "column": 11, "dye": None})
unlabelled.init()
