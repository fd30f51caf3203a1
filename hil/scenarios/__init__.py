"""What a device must get through, one file a claim: `play(cloud, device)`; see hil/README.md."""
