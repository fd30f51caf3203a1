"""Every string and byte on a wire or a disk, built and parsed. Knows no state."""
