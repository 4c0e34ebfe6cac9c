"""A sky survey: reduce each tile, find its sources and match them with the catalogue."""
# ruff: noqa: PTH123  # as people write them

from flow import FlowProject


class Survey(FlowProject):
    """The tiles."""


@Survey.label
def observed(job):
    return job.isfile("image.fits")


@Survey.label
def quality(job):
    return f"quality {job.doc.quality}" if "quality" in job.doc else False


@Survey.post.isfile("image.fits")
@Survey.operation
def reduce(job):
    with open(job.fn("image.fits"), "w"):
        pass


@Survey.pre.after(reduce)
@Survey.post.isfile("sources.txt")
@Survey.operation
def extract(job):
    with open(job.fn("sources.txt"), "w") as file:
        file.write(f"{job.sp.field * 100 + job.sp.tile}\n")


@Survey.pre.after(extract)
@Survey.pre(lambda job: job.sp.band != "i")
@Survey.post.true("matched")
@Survey.operation
def match(job):
    job.doc.matched = True


if __name__ == "__main__":
    Survey().main()
