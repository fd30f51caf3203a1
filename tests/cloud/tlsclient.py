"""A TLS client on asyncio that trusts one root, for tests of what the emulated cloud presents."""

import asyncio
import ssl

from hil.cloud.certificates import pem

HOST = "hub-1.azure-devices.net"


def context(root=None, certificate_file: str | None = None, ciphers: str | None = None):
    """A verifying TLS 1.2 context; without a root it verifies nothing."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.maximum_version = ssl.TLSVersion.TLSv1_2
    if root is None:
        made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    else:
        made.load_verify_locations(cadata=pem(root.certificate).decode())
    if certificate_file:
        made.load_cert_chain(certificate_file)
    if ciphers:
        made.set_ciphers(ciphers)
    return made


async def opened(listener, trusted, host: str | None = HOST):
    """(reader, writer) of a finished handshake."""
    return await asyncio.wait_for(
        asyncio.open_connection(
            listener.address, listener.port, ssl=trusted, server_hostname=host or ""
        ),
        10,
    )


async def ask(reader, writer, data: bytes, count: int) -> bytes:
    """Send, and read exactly so many bytes."""
    writer.write(data)
    return await asyncio.wait_for(reader.readexactly(count), 10)


async def at_end(reader) -> bool:
    """Whether the server closes within ten seconds."""
    try:
        return await asyncio.wait_for(reader.read(), 10) == b""
    except ConnectionError:
        return True


def suite(writer) -> str:
    return writer.get_extra_info("cipher")[0]
