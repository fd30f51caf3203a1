"""A device made of paho-mqtt 2.x alone, its network thread and its own TLS, as its README shows it.

It reconnects by disconnect(), connect(): paho has no other way to a fresh session.
"""

import base64
import hashlib
import hmac
import json
import ssl
import time
from urllib.parse import quote

import program
from paho.mqtt import client as mqtt

METHODS, DESIRED = "$iothub/methods/POST/", "$iothub/twin/PATCH/properties/desired/"


def token(facts: dict) -> str:
    """SharedAccessSignature sr={host}%2Fdevices%2F{id}&sig=...&se={expiry}"""
    resource = quote("%(host)s/devices/%(device_id)s" % facts, safe="")
    expiry = int(time.time()) + facts["token_s"]
    key, signed = base64.b64decode(facts["key"]), "%s\n%d" % (resource, expiry)
    signature = base64.b64encode(hmac.digest(key, signed.encode(), hashlib.sha256))
    return "SharedAccessSignature sr=%s&sig=%s&se=%d" % (
        resource, quote(signature, safe=""), expiry,
    )  # fmt: skip


def context_of(facts: dict) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=facts["roots"])
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


class Device:
    """One client and what it answers."""

    def __init__(self, facts: dict) -> None:
        self.facts = facts
        self.events = "devices/%(device_id)s/messages/events/" % facts
        self.inbox = "devices/%(device_id)s/messages/devicebound/" % facts
        self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, facts["device_id"], clean_session=False
        )
        self.client.tls_set_context(context_of(facts))
        self.client.on_connect = self._on_connect
        self.client.on_message = self._on_message

    def connect(self) -> None:
        user = "%(host)s/%(device_id)s/?api-version=2021-04-12" % self.facts
        self.client.username_pw_set(user, token(self.facts))
        self.client.connect(self.facts["host"], 8883, self.facts["keepalive_s"])
        self.client.loop_start()

    def disconnect(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def reconnect(self) -> None:
        self.disconnect()
        self.connect()

    def send(self, mid: str, payload: bytes) -> None:
        self.client.publish(self.events + "$.mid=" + quote(mid, safe=""), payload, 1)

    def _on_connect(self, client, userdata, flags, reason, properties) -> None:
        if self.facts["serves"] and not flags.session_present:
            filters = [METHODS + "#", DESIRED + "#", self.inbox + "#"]
            client.subscribe([(one, 1) for one in filters])
        program.say("connected")

    def _on_message(self, client, userdata, message) -> None:
        if message.topic.startswith(METHODS):
            request_id = message.topic.partition("$rid=")[2]
            client.publish("$iothub/methods/res/200/?$rid=" + request_id, b"{}")
        elif message.topic.startswith(DESIRED):
            program.say("desired", version=json.loads(message.payload)["$version"])
        else:
            program.say("c2d", text=message.payload.decode())


def main() -> None:
    device = Device(program.facts())
    device.connect()
    program.say("ready")
    program.obey(program.Flow(device.send), device.reconnect, device.disconnect)


if __name__ == "__main__":
    main()
