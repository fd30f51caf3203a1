"""A TLS client on MicroPython: tls_client.py PORT ROOT HOST FRAGMENT SIZE.

Asks for records of FRAGMENT bytes, trusts the DER in the file ROOT, has SIZE bytes sent back and
prints `version suite` of the session, or the kind and the text of what went wrong, and whether
Mbed TLS was denied memory. FRAGMENT `none` leaves the C module alone.
"""

import socket
import sys

import tls

BLOCK = 5000


def session(port, root, host):
    """A socket after its handshake."""
    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    with open(root, "rb") as file:
        context.load_verify_locations(file.read())
    sock = socket.socket()
    sock.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
    return context.wrap_socket(sock, server_hostname=host)


def echo(stream, size):
    """Say `size` bytes, BLOCK after BLOCK, and hear the same."""
    blocks = [min(BLOCK, size - at) for at in range(0, size, BLOCK)]
    for number, length in enumerate(blocks):
        stream.write(bytes([number]) * length)
    for number, length in enumerate(blocks):
        if stream.read(length) != bytes([number]) * length:
            raise ValueError("another echo of block %d" % number)


def main(port, root, host, fragment, size):
    denied = None
    if fragment != "none":
        import anchorwatch_mbedtls as module

        module.set_max_fragment_length(int(fragment))
        denied = getattr(module, "allocations_denied", None)
    try:
        stream = session(int(port), root, host)
        echo(stream, int(size))
        suite, version = stream.cipher()
        print(version, suite)
        stream.close()
    except (OSError, ValueError) as error:
        print(type(error).__name__, error.args[0])
        print("memory denied" if denied and denied() else "memory enough")


if __name__ == "__main__":
    main(*sys.argv[1:])
