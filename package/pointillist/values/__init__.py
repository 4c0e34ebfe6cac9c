"""Results as attributes: records ask here for their values, and collections of records."""
