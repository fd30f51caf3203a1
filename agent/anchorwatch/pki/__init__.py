"""Bytes to verdicts: certificates, and our judgement of a server's chain. Knows no state."""
