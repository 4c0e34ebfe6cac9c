"""One job per chain length, friction and time step."""

import itertools

import signac

project = signac.init_project()

for length, friction, step in itertools.product((8, 16, 32), (0.5, 1.0), (0.002, 0.01)):
    statepoint = {"N": length, "friction": friction, "dt": step, "thermostat": {"kT": 1.0}}
    job = project.open_job(statepoint)
    job.init()
    job.doc.setdefault("blocks", 0)
    if length == 32 and step > 0.005:
        job.doc.note = "too stiff for this time step"
