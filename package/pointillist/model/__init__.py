"""What the user declared: fields, records, aggregates, steps. Plain data, no IO."""
