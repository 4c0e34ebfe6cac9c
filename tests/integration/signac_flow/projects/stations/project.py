"""Weather stations: monthly means of each, and tables by year, region, altitude and sensor."""
# ruff: noqa: I001, PTH103, PTH118, PTH123  # as people write them

import os

from flow import FlowProject
from flow import aggregator


class Weather(FlowProject):
    """The stations."""


by_year = aggregator.groupby("year", sort_by="elevation")
by_region_and_year = aggregator.groupby(("region", "year"))
by_initial = aggregator.groupby(lambda job: job.sp.station[0] < "C", sort_by="station")
by_sensor = aggregator.groupby("sensor", default=-1)
pairs = aggregator.groupsof(
    2, sort_by=lambda job: (job.sp.elevation, job.sp.year), sort_ascending=False
)
northern = aggregator(select=lambda job: job.sp.region == "north", sort_by="year")
everything = aggregator()


def mean(job):
    return job.doc["mean"]


def write(jobs, name):
    """Write a line for each station into a table of the project."""
    folder = os.path.join(jobs[0].project.path, "tables")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "w") as file:
        file.writelines(f"{job.sp.station} {job.sp.year} {mean(job):.3f}\n" for job in jobs)


@Weather.label
def cleaned(job):
    return job.isfile("clean.txt")


@Weather.post.isfile("clean.txt")
@Weather.post.true("mean")
@Weather.operation
def clean(job):
    with open(job.fn("raw.txt")) as file:
        values = [float(line.split()[1]) for line in file]
    job.doc.mean = sum(values) / len(values)
    with open(job.fn("clean.txt"), "w") as file:
        file.writelines(f"{value - job.doc.mean:.2f}\n" for value in values)


@Weather.pre.after(clean)
@Weather.post.true("in_year")
@Weather.operation(aggregator=by_year)
def yearly(*jobs):
    write(jobs, f"year_{jobs[0].sp.year}.txt")
    for rank, job in enumerate(jobs, start=1):
        job.doc.in_year = rank


@Weather.pre.isfile("clean.txt")
@Weather.post(lambda *jobs: all("regional" in job.doc for job in jobs))
@Weather.operation(aggregator=by_region_and_year, directives={"walltime": 2, "np": 2})
def regional(*jobs):
    total = round(sum(map(mean, jobs)), 6)
    for job in jobs:
        job.doc.regional = total


@Weather.pre(lambda *jobs: all(job.doc.get("in_year") for job in jobs))
@Weather.post.isfile("initial.txt")
@Weather.operation(aggregator=by_initial, directives={"np": lambda *jobs: len(jobs)})
def alphabet(*jobs):
    for job in jobs:
        with open(job.fn("initial.txt"), "w") as file:
            file.write(" ".join(other.sp.station for other in jobs))


@Weather.pre.after(clean)
@Weather.post.true("calibrated")
@Weather.operation(aggregator=by_sensor)
def calibrate(*jobs):
    for job in jobs:
        job.doc.calibrated = f"with {len(jobs)} of sensor {job.sp.get('sensor', 'unknown')}"


@Weather.pre.true("calibrated")
@Weather.pre.false("rejected")
@Weather.post.isfile("lapse.txt")
@Weather.operation(aggregator=pairs)
def lapse(upper, lower):
    metres = upper.sp.elevation - lower.sp.elevation
    for job in (upper, lower):
        with open(job.fn("lapse.txt"), "w") as file:
            file.write(f"{mean(upper) - mean(lower):.3f} K over {metres} m\n")


@Weather.pre.after(clean)
@Weather.post(lambda *jobs: jobs[0].isfile("north.txt"))
@Weather.operation(cmd=True, aggregator=northern, directives={"memory": "1g", "walltime": 0.5})
def concatenate(*jobs):
    parts = " ".join(os.path.relpath(job.fn("clean.txt"), job.project.path) for job in jobs)
    return f"cat {parts} > {jobs[0].fn('north.txt')} && echo joined {len(jobs)}"


@Weather.pre.after(yearly)
@Weather.pre.not_(lambda *jobs: any(job.doc.get("rejected") for job in jobs))
@Weather.operation(aggregator=everything)
def report(*jobs):
    write(jobs, "report.txt")
    print("report of", len(jobs))


if __name__ == "__main__":
    Weather().main()
