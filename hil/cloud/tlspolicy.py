"""What TLS a service speaks: a policy by name, and the chain it presents now.

A client certificate is asked for, never needed, and never judged here: who a client is, the service
decides at CONNECT. Source: "IoT Hub TLS support" and "TLS support in DPS".
"""

from OpenSSL import SSL

from .certificates import ServerChain

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

POLICIES = {
    "classic": ECDHE_ECDSA + ECDHE_RSA,
    "dps": ECDHE_RSA,
    "legacy": ECDHE_ECDSA + ECDHE_RSA + BEFORE_2025,
}


class Presented:
    """The chain and policy of one service; a change is for the next handshake, sessions stay."""

    def __init__(self, chain: ServerChain, policy: str = "classic") -> None:
        self.chain, self.policy = chain, policy
        self.context = context_for(chain, policy)

    def change(self, chain: ServerChain | None = None, policy: str | None = None) -> None:
        """Show another chain, follow another policy, or both."""
        chain, policy = chain or self.chain, policy or self.policy
        self.context = context_for(chain, policy)
        self.chain, self.policy = chain, policy


def context_for(chain: ServerChain, policy: str) -> SSL.Context:
    """A server's TLS 1.2 context; every handshake is a full one."""
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(":".join(POLICIES[policy]).encode())
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_verify(SSL.VERIFY_PEER, _any_client)
    context.use_certificate(chain.certificates[0])
    for certificate in chain.certificates[1:]:
        context.add_extra_chain_cert(certificate)
    context.use_privatekey(chain.key)
    context.check_privatekey()
    return context


def _any_client(*_: object) -> bool:
    return True
