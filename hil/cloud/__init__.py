"""The emulated cloud: what a device meets of Azure IoT Hub and DPS, written from their documentation.

Nothing here imports the agent: a string both sides shared could be wrong on both sides unseen.
"""
