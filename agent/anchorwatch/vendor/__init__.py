"""Tools of the integrator: trust bundles made, signed and published. Never imported at run time."""
