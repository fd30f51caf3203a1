"""What TLS a service speaks: a policy by name, and the chains it presents now.

A client certificate is asked for, never needed, and never judged here: who a client is, the service
decides at CONNECT. Source: "IoT Hub TLS support" and "TLS support in DPS".
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from OpenSSL import SSL

from .certificates import ServerChain, pem

ECDHE_ECDSA = (
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384",
)  # fmt: skip
ECDHE_RSA = (
    "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES256-SHA384",
)  # fmt: skip
BEFORE_2025 = (
    "DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384",
    "AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA256", "AES256-SHA256",
    "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA", "AES128-SHA", "AES256-SHA",
)  # fmt: skip



@dataclass(frozen=True)
class Policy:
    """One of the services' ways to speak TLS.

    suites      of TLS 1.2, in the order in which the service prefers them: RSA is presented unless
                a client offers ECDSA alone
    newest      version
    needs_name  a client that does not say whom it wants is refused
    """

    suites: tuple[str, ...]
    newest: int = SSL.TLS1_2_VERSION
    needs_name: bool = False


POLICIES = {
    "classic": Policy(ECDHE_RSA + ECDHE_ECDSA),
    "legacy": Policy(ECDHE_RSA + ECDHE_ECDSA + BEFORE_2025),
    "device-endpoint": Policy(ECDHE_RSA + ECDHE_ECDSA, SSL.TLS1_3_VERSION, needs_name=True),
    "dps": Policy(ECDHE_RSA),
    "sovereign": Policy(ECDHE_RSA),
}


class Presented:
    """The chains and policy of one service; a change is for the next handshake, sessions stay.

    chain   that of the service; beside  one with another kind of key, for clients that want it
    """

    def __init__(
        self, chain: ServerChain, policy: str = "classic", beside: ServerChain | None = None
    ) -> None:
        self.chain, self.policy, self.beside = chain, policy, beside
        self.context = context_for(chain, policy, beside)

    def change(self, chain: ServerChain | None = None, policy: str | None = None) -> None:
        """Show another chain, follow another policy, or both."""
        chain, policy = chain or self.chain, policy or self.policy
        self.context = context_for(chain, policy, self.beside)
        self.chain, self.policy = chain, policy


def shown_in(tls: SSL.Connection, chain: ServerChain, beside: ServerChain | None) -> ServerChain:
    """Which of two chains a handshake showed; before it has, the first."""
    leaf = tls.get_certificate()
    if beside is None or leaf is None or leaf.to_cryptography() != beside.certificates[0]:
        return chain
    return beside


def context_for(
    chain: ServerChain, policy: str, beside: ServerChain | None = None
) -> SSL.Context:
    """A server's context; every handshake is a full one."""
    context, spoken = _bare(policy), POLICIES[policy]
    if beside is not None and _is_rsa(beside) != _is_rsa(chain):
        _use(context, beside)
    _use(context, chain)
    context.check_privatekey()
    if spoken.needs_name:
        nobody = _bare(policy)
        context.set_tlsext_servername_callback(
            lambda tls: None if tls.get_servername() else tls.set_context(nobody)
        )
    return context


def _bare(policy: str) -> SSL.Context:
    """A context that has nothing to show yet."""
    spoken = POLICIES[policy]
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_max_proto_version(spoken.newest)
    context.set_cipher_list(":".join(spoken.suites).encode())
    options = SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE
    context.set_options(options)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_verify(SSL.VERIFY_PEER, _any_client)
    return context


def _use(context: SSL.Context, chain: ServerChain) -> None:
    """Add a chain: only when read from a file is it kept apart from one with another key."""
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        Path(file.name).write_bytes(pem(*chain.certificates))
        context.use_certificate_chain_file(file.name)
    context.use_privatekey(chain.key)


def _is_rsa(chain: ServerChain) -> bool:
    return isinstance(chain.key, rsa.RSAPrivateKey)


def _any_client(*_: object) -> bool:
    return True
