"""Fluorescence plates: baseline, fit and verdict of each well, with a record of who did what."""
# ruff: noqa: PTH123  # as people write them

import csv

from flow import FlowProject
from flow.hooks import TrackOperations


class Plates(FlowProject):
    """The wells."""


history = TrackOperations(log_filename="history.log", strict_git=False)


def note(stage):
    """Return a hook that counts in the job document how often it was called."""

    def hook(operation, job):
        job.doc.setdefault("hooks", {})
        key = f"{operation} {stage}"
        job.doc.hooks[key] = job.doc.hooks.get(key, 0) + 1

    return hook


def note_error(operation, error, job):
    job.doc.error = f"{operation}: {type(error).__name__}"
    print("failed", operation, job)


def refuse_without_dye(operation, job):
    if job.sp.dye is None:
        raise ValueError(f"{operation}: no dye")


def check_verdict(operation, job):
    if job.sp.column == 1:
        raise RuntimeError("a second look is needed")


def say(operation, *jobs):
    print("leaving", operation, *jobs)


@Plates.label
def fitted(job):
    return job.isfile("fit.txt")


@Plates.operation_hooks.on_start(note("start"))
@Plates.operation_hooks.on_exit(note("exit"))
@Plates.operation_hooks.on_success(note("success"))
@Plates.operation_hooks.on_exception(note_error)
@Plates.operation_hooks.on_start(refuse_without_dye)
@Plates.pre(lambda job: job.sp.column != 12)
@Plates.post.true("baseline")
@Plates.operation
def baseline(job):
    with open(job.fn("reading.csv")) as file:
        job.doc.baseline = float(next(csv.DictReader(file))["signal"])


@history.install_operation_hooks(Plates)
@Plates.operation_hooks.on_exception(note_error)
@Plates.operation_hooks.on_exit(note("exit"))
@Plates.pre(lambda job: job.sp.dye is not None)
@Plates.post.isfile("fit.txt")
@Plates.operation(with_job=True)
def fit(job):
    with open("reading.csv") as file:
        signals = [float(row["signal"]) for row in csv.DictReader(file)]
    with open("fit.txt", "w") as file:
        file.write(f"{sum(signals) / len(signals):.4f}\n")


@Plates.operation_hooks.on_success(check_verdict)
@Plates.operation_hooks.on_exit(note("exit"))
@Plates.pre.after(baseline, fit)
@Plates.post.true("verdict")
@Plates.operation
def judge(job):
    with open(job.fn("fit.txt")) as file:
        job.doc.verdict = "amplified" if float(file.read()) > 10 else "flat"


@Plates.operation_hooks.on_start(note("start"))
@Plates.operation_hooks.on_success(note("success"))
@Plates.operation_hooks.on_exception(note_error)
@Plates.pre.true("verdict")
@Plates.post.isfile("label.txt")
@Plates.operation(cmd=True)
def stick(job):
    return f"echo {job.sp.row}{job.sp.column} {job.doc.verdict} > {job.fn('label.txt')}"


if __name__ == "__main__":
    project = Plates.get_project()
    project.project_hooks.on_start.append(note("project start"))
    project.project_hooks.on_exit.append(say)
    TrackOperations(strict_git=False).install_project_hooks(project)
    project.main()
