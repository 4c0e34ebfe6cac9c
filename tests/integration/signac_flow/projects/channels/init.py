"""One job per Reynolds number and resolution of the channel."""

import signac

project = signac.init_project()

for reynolds in (100, 400):
    for cells in (16, 32):
        project.open_job({"Re": reynolds, "cells": cells}).init()
