"""`make demo`: a device, its cloud and eight acts, seen live and written down."""
