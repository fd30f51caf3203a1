"""`make demo`: a device, its cloud and ten acts, seen live and written down."""
