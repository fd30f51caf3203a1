"""`make demo`: a device, its cloud and eleven acts, seen live and written down."""
