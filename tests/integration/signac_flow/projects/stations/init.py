"""One job per weather station and year; older stations have no sensor in their state point."""
# ruff: noqa: PTH123  # as people write them

import signac

project = signac.init_project()

STATIONS = {
    "Arven": ("north", 310),
    "Brugg": ("north", 355),
    "Cresta": ("south", 1917),
    "Disla": ("south", 1140),
}

for name, (region, elevation) in STATIONS.items():
    for year in (2019, 2020):
        statepoint = {"station": name, "region": region, "elevation": elevation, "year": year}
        if region == "north" or year > 2019:
            statepoint["sensor"] = 2 if year > 2019 else 1
        job = project.open_job(statepoint)
        job.init()
        with open(job.fn("raw.txt"), "w") as file:
            for month in range(1, 13):
                file.write(f"{month} {15 - elevation / 150 + 10 - abs(month - 7) * 2.5:.2f}\n")
