"""What stands around a device on the bench: its network, its power, itself."""
