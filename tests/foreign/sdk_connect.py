"""Connects to a hub with a certificate and nothing else; runs in azure-iot-device's environment.

Reads its facts as JSON from standard input; prints one word: "connected", or the SDK's own error.
"""

import json
import sys

from azure.iot.device import X509, IoTHubDeviceClient


def main() -> None:
    facts = json.load(sys.stdin)
    client = IoTHubDeviceClient.create_from_x509_certificate(
        x509=X509(facts["cert_file"], facts["key_file"]),
        hostname=facts["hub"],
        device_id=facts["registration_id"],
        server_verification_cert=facts["roots"],
        connection_retry=False,
    )
    try:
        client.connect()
        print("connected")
    except Exception as e:
        print(type(e).__name__)
    client.shutdown()


main()
