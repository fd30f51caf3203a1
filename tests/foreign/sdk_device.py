"""A device made of nothing but azure-iot-device; runs in that package's own virtual environment.

Reads its facts as one JSON object from standard input, writes one JSON line for each thing that
happens, and ends when a cloud-to-device message says "stop".
"""

import json
import sys
import threading

from azure.iot.device import (
    X509,
    IoTHubDeviceClient,
    Message,
    MethodResponse,
    ProvisioningDeviceClient,
)


def say(what: str, **more: object) -> None:
    print(json.dumps({"what": what, **more}), flush=True)


def provisioned(facts: dict, x509: "X509 | None") -> object:
    common = {
        "provisioning_host": facts["dps_host"],
        "registration_id": facts["registration_id"],
        "id_scope": facts["id_scope"],
        "server_verification_cert": facts["roots"],
        "websockets": facts.get("websockets", False),
    }
    if x509:
        client = ProvisioningDeviceClient.create_from_x509_certificate(x509=x509, **common)
    else:
        key = facts["key"]
        client = ProvisioningDeviceClient.create_from_symmetric_key(symmetric_key=key, **common)
    result = client.register()
    say("assigned", status=result.status, hub=result.registration_state.assigned_hub)
    return result.registration_state


def hub_client(facts: dict, x509: "X509 | None", state: object) -> IoTHubDeviceClient:
    common = {
        "hostname": state.assigned_hub,
        "device_id": state.device_id,
        "server_verification_cert": facts["roots"],
        "websockets": facts.get("websockets", False),
    }
    if x509:
        return IoTHubDeviceClient.create_from_x509_certificate(x509=x509, **common)
    return IoTHubDeviceClient.create_from_symmetric_key(symmetric_key=facts["key"], **common)


def listen(client: IoTHubDeviceClient, over: threading.Event) -> None:
    def on_method(request):
        say("method", name=request.name, payload=request.payload)
        response = MethodResponse.create_from_method_request(request, 200, {"heard": request.name})
        client.send_method_response(response)

    def on_message(message):
        text = message.data.decode()
        say("c2d", text=text, properties=dict(message.custom_properties))
        if text == "stop":
            over.set()

    client.on_method_request_received = on_method
    client.on_message_received = on_message
    client.on_twin_desired_properties_patch_received = lambda patch: say("desired", patch=patch)


def main() -> None:
    facts = json.load(sys.stdin)
    x509 = X509(facts["cert_file"], facts["key_file"]) if "cert_file" in facts else None
    client = hub_client(facts, x509, provisioned(facts, x509))
    client.connect()
    over = threading.Event()
    listen(client, over)
    message = Message(json.dumps({"temperature": 21}))
    message.message_id, message.content_type, message.content_encoding = (
        "m-1", "application/json", "utf-8",
    )  # fmt: skip
    message.custom_properties["colour"] = "blue & green"
    client.send_message(message)
    say("twin", twin=client.get_twin())
    client.patch_twin_reported_properties({"firmware": "1.2.3"})
    say("ready")
    over.wait(60)
    client.shutdown()


if __name__ == "__main__":
    main()
