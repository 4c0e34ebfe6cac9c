"""What people look at: progress, summaries, the status table."""
