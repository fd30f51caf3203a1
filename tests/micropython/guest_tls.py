"""TLS sessions from a board, as /cases.json lists them: one line each, `name: outcome`.

A case: host, port, root (a DER file), and perhaps fragment (bytes a record), chain and key (DER
files), size (bytes to be sent and heard again). The outcome is `version suite`, or what went wrong.
"""

import gc
import json
import socket

import anchorwatch_mbedtls
import tls

PIECE = 1000


def read(name):
    with open(name, "rb") as file:
        return file.read()


def context(case):
    """One context a case: it holds the fragment length that was set when it was made."""
    anchorwatch_mbedtls.set_max_fragment_length(case.get("fragment", 0))
    made = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(read(case["root"]))
    for part in case.get("chain", []):
        made.load_cert_chain(read(part), read(case["key"]))
    return made


def echo(stream, size):
    """Say `size` bytes in pieces, and hear the same."""
    for at in range(0, size, PIECE):
        stream.write(bytes([at // PIECE % 251]) * min(PIECE, size - at))
    for at in range(0, size, PIECE):
        heard = stream.read(min(PIECE, size - at))
        if heard != bytes([at // PIECE % 251]) * min(PIECE, size - at):
            return " another echo at %d" % at
    return ""


def outcome(case):
    sock = socket.socket()
    try:
        sock.connect(socket.getaddrinfo("127.0.0.1", case["port"])[0][-1])
        stream = context(case).wrap_socket(sock, server_hostname=case["host"])
        wrong = echo(stream, case.get("size", 0))
        suite, version = stream.cipher()
        free = gc.mem_free()
        stream.close()
        return "%s %s%s; %d free" % (version, suite, wrong, free)
    except (OSError, ValueError, MemoryError) as error:
        sock.close()
        return "%s %s" % (type(error).__name__, error.args[0] if error.args else "")


for case in json.loads(read("/cases.json")):
    gc.collect()
    print("%s: %s" % (case["name"], outcome(case).replace("\n", "")))
