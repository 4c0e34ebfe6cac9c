"""What must be done and why: rules, states, reasons, the planner. It writes nothing."""
