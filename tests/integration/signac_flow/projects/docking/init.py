"""Two ligands for each target; later generations are made by the screen itself."""

import signac

project = signac.init_project()

for target, ligands in {"kinase": ("benzamide", "indole"), "protease": ("valine", "urea")}.items():
    for ligand in ligands:
        project.open_job({"target": target, "ligand": ligand, "generation": 0}).init()
