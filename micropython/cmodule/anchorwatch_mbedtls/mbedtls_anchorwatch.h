// Mbed TLS as the agent wants it. A port's own header includes MicroPython's, and then this one.
#ifndef ANCHORWATCH_MBEDTLS_OPTIONS_H
#define ANCHORWATCH_MBEDTLS_OPTIONS_H

// The extension with which a client asks for short records (RFC 6066).
#define MBEDTLS_SSL_MAX_FRAGMENT_LENGTH

// A key made here must leave Mbed TLS as DER.
#define MBEDTLS_PK_WRITE_C

// 2 KB of code and the processor's own multiplication make public keys several times faster.
#define MBEDTLS_ECP_NIST_OPTIM
#define MBEDTLS_HAVE_ASM

// A context has room for as many, 20 bytes each, and a board has one.
#define MBEDTLS_ENTROPY_MAX_SOURCES 2

// A fragment length saves no memory by itself: the buffer for one incoming record is as large as
// this says. Less than 16384 only serves against servers that honour the extension.
#ifdef ANCHORWATCH_TLS_IN
#undef MBEDTLS_SSL_IN_CONTENT_LEN
#define MBEDTLS_SSL_IN_CONTENT_LEN (ANCHORWATCH_TLS_IN)
#endif

#endif
