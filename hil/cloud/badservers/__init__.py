"""Wrong servers, one row of a table each, that stand in for a hub or for DPS.

Rule: whatever is wrong, what a client told them is written down, so that "nothing leaked" can be
read off the wire. They never import the agent, and listen on loopback only.
"""
