"""Where a project lives on disk: layout, discovery, membership, fingerprints, journals, claims."""
