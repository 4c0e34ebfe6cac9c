"""Channel flow: mesh, solve and post-process with the group's shell tools."""
# ruff: noqa: PTH123, UP032  # as people write them

import datetime
import sys

from flow import FlowProject


class Channel(FlowProject):
    """The runs."""


def ranks(job):
    return 2 if job.sp.cells > 16 else 1


def hours(job):
    return datetime.timedelta(hours=job.sp.cells / 8)


@Channel.label
def solved(job):
    return job.isfile("velocity.txt")


@Channel.label
def resolution(job):
    return f"{job.sp.cells} cells"


@Channel.post.isfile("mesh.txt")
@Channel.operation(cmd=True, with_job=True, directives={"walltime": 0.25, "memory": "512m"})
def mesh(job):
    return f"seq 1 {job.sp.cells} > mesh.txt"


@Channel.pre.after(mesh)
@Channel.post.isfile("velocity.txt")
@Channel.operation(
    cmd=True,
    directives={
        "nranks": ranks,
        "omp_num_threads": 2,
        "walltime": hours,
        "memory": lambda job: f"{job.sp.cells // 8}g",
        "queue": lambda job: "long" if job.sp.Re > 100 else "short",
    },
)
def solve(job):
    # A run that went wrong before is marked by hand.
    return f"""
sh -c 'test ! -e {job.path}/diverged && \\
wc -l < {job.path}/mesh.txt > {job.path}/velocity.txt'
"""


@Channel.pre.isfile("velocity.txt")
@Channel.post.isfile("drag.txt")
@Channel.operation(directives={"np": lambda job: job.sp.cells // 4, "walltime": 1})
def drag(job):
    with open(job.fn("velocity.txt")) as file:
        cells = int(file.read())
    with open(job.fn("drag.txt"), "w") as file:
        file.write(f"{24 / job.sp.Re + 1 / cells:.5f}\n")


@Channel.pre.after(drag)
@Channel.post.true("pressure")
@Channel.operation(directives={"fork": True, "memory": 2})
def pressure(job):
    job.doc.pressure = job.sp.Re / job.sp.cells
    print("pressure", job, "fork" if "exec" in sys.argv else "same process")


@Channel.pre.after(drag)
@Channel.post.true("unbuffered")
@Channel.operation(directives={"executable": f"{sys.executable} -u", "np": 2})
def probe(job):
    print("probe", job)
    job.doc.unbuffered = True


@Channel.pre.after(pressure)
@Channel.pre(lambda job: job.sp.Re == 400)
@Channel.operation(cmd=True, directives={"processor_fraction": 0.5})
def list_results(job):
    return "ls {path} | sort".format(path=job.path)


@Channel.pre.never
@Channel.operation(cmd=True)
def compile_solver(job):
    return "make -C src solver"


@Channel.pre.after(probe)
@Channel.post.isfile("upload.txt")
@Channel.operation(cmd=True)
def upload(job):
    return "exec sleep 20"


if __name__ == "__main__":
    Channel().main()
