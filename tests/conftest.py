"""What all tests share: pictures without a screen, Hypothesis without a clock."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ["MPLBACKEND"] = "Agg"
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
# signac-flow would talk to a scheduler that happens to be installed on this machine.
os.environ["SIGNAC_FLOW_ENVIRONMENT"] = "StandardEnvironment"

# Two busy cores make any deadline a lottery.
settings.register_profile("pointillist", deadline=None, database=None)
settings.load_profile("pointillist")
