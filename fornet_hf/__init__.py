"""ForNet: pictures taken apart into foregrounds and backgrounds, and recombined on the fly."""
