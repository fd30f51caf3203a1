"""A device made of azure-iot-device, as its documentation shows it; runs where that is installed.

It reconnects when its token is due (`sastoken_ttl`): that is the SDK's own way to a fresh session.
"""

from concurrent.futures import ThreadPoolExecutor

import program
from azure.iot.device import IoTHubDeviceClient, Message, MethodResponse

SENDERS = 32


def client_of(facts: dict) -> IoTHubDeviceClient:
    words = "HostName=%(host)s;DeviceId=%(device_id)s;SharedAccessKey=%(key)s" % facts
    return IoTHubDeviceClient.create_from_connection_string(
        words, server_verification_cert=facts["roots"], keep_alive=facts["keepalive_s"],
        sastoken_ttl=facts["token_s"],
    )  # fmt: skip


def listen(client: IoTHubDeviceClient) -> None:
    def on_method(request) -> None:
        made = MethodResponse.create_from_method_request(request, 200, {"heard": request.name})
        client.send_method_response(made)

    client.on_method_request_received = on_method
    client.on_message_received = lambda message: program.say("c2d", text=message.data.decode())
    client.on_twin_desired_properties_patch_received = lambda patch: program.say(
        "desired", version=patch["$version"]
    )


class Sender:
    """send_message waits for the acknowledgement, so several wait at a time."""

    def __init__(self, client: IoTHubDeviceClient) -> None:
        self._client, self._pool = client, None

    def __call__(self, mid: str, payload: bytes) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(SENDERS)
        self._pool.submit(self._send, mid, payload)

    def _send(self, mid: str, payload: bytes) -> None:
        message = Message(payload)
        message.message_id = mid
        try:
            self._client.send_message(message)
        except Exception as e:  # whatever it raises, this message is the caller's loss
            program.say("unsent", mid=mid, error=repr(e))

    def end(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True)


def main() -> None:
    facts = program.facts()
    client = client_of(facts)
    client.connect()
    program.say("connected")
    if facts["serves"]:
        listen(client)
    program.say("ready")
    sender = Sender(client)

    def reconnect() -> None:
        client.disconnect()
        client.connect()

    def end() -> None:
        sender.end()
        client.shutdown()

    program.obey(program.Flow(sender), reconnect, end)


if __name__ == "__main__":
    main()
