"""The emulated cloud: what a device meets of Azure IoT Hub and DPS, from their documentation.

Nothing here imports the agent: a string both sides shared could be wrong on both sides unseen.
"""
