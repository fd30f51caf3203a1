// anchorwatch_mbedtls: what Mbed TLS can do and MicroPython's tls module does not offer.
//
// Rule: optional. Without it the agent says what is absent in the firmware, and works.
//
//     set_max_fragment_length(n)      0 | 512 | 1024 | 2048 | 4096, for contexts made from now on
//     keep_expired_roots(yes)         for contexts made from now on: a trusted root that is past its
//                                     end is no reason to refuse a chain. Its beginning, and every
//                                     date of the others, stay one
//     IN_CONTENT_LEN                  the longest record that this firmware can take in
//     verify(spki, digest, signature) is it the key's signature of the SHA-256 digest? True | False
//     make_key()                      a new P-256 key, DER
//     public_key(key)                 the SubjectPublicKeyInfo of a private key, both DER
//     sign(key, digest)               its signature of a SHA-256 digest, DER; RSA as PKCS #1 v1.5
//     allocations_denied()            how often Mbed TLS was denied memory so far: a handshake that
//                                     failed meanwhile says nothing about trust. Only there where
//                                     its memory is the collected heap.
//
// With it every client context speaks TLS 1.2 and nothing else, whatever the firmware has besides.

#include "py/runtime.h"

#include "mbedtls/asn1.h"
#include "mbedtls/bignum.h"
#include "mbedtls/ctr_drbg.h"
#include "mbedtls/ecp.h"
#include "mbedtls/entropy.h"
#include "mbedtls/pk.h"
#include "mbedtls/platform_util.h"
#include "mbedtls/ssl.h"

#if !defined(MBEDTLS_SSL_MAX_FRAGMENT_LENGTH) || !defined(MBEDTLS_PK_WRITE_C)
#error "Mbed TLS is built without what this module calls: include mbedtls_anchorwatch.h in its configuration"
#endif

#define DIGEST_LEN 32
#define DER_ROOM 600 // the public key of RSA-4096; a P-256 key needs a quarter of it

// ---- Client contexts: exact version, fragment length, roots past their end

static const uint16_t fragment_lengths[] = {0, 512, 1024, 2048, 4096}; // index = code on the wire
static unsigned char fragment_code = MBEDTLS_SSL_MAX_FRAG_LEN_NONE;

int __real_mbedtls_ssl_config_defaults(mbedtls_ssl_config *conf, int endpoint, int transport, int preset);
int __wrap_mbedtls_ssl_config_defaults(mbedtls_ssl_config *conf, int endpoint, int transport, int preset);

// The linker calls this in place of Mbed TLS's own, see micropython.mk.
int __wrap_mbedtls_ssl_config_defaults(mbedtls_ssl_config *conf, int endpoint, int transport, int preset) {
    int status = __real_mbedtls_ssl_config_defaults(conf, endpoint, transport, preset);
    if (status != 0 || endpoint != MBEDTLS_SSL_IS_CLIENT || transport != MBEDTLS_SSL_TRANSPORT_STREAM) {
        return status;
    }
    mbedtls_ssl_conf_min_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_max_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_2);
    return mbedtls_ssl_conf_max_frag_len(conf, fragment_code);
}

static mp_obj_t set_max_fragment_length(mp_obj_t length_in) {
    mp_int_t length = mp_obj_get_int(length_in);
    for (size_t code = 0; code < MP_ARRAY_SIZE(fragment_lengths); code++) {
        if (fragment_lengths[code] == length) {
            fragment_code = code;
            return mp_const_none;
        }
    }
    mp_raise_ValueError(MP_ERROR_TEXT("fragment length must be 0, 512, 1024, 2048 or 4096"));
}
static MP_DEFINE_CONST_FUN_OBJ_1(set_max_fragment_length_obj, set_max_fragment_length);

static bool keep_roots;

// What the tls module gave to mbedtls_ssl_conf_verify, and to which configuration.
typedef struct {
    const mbedtls_ssl_config *conf;
    int (*verify)(void *, mbedtls_x509_crt *, int, uint32_t *);
    void *data;
} verification_t;

// Called for each certificate of a path. The trusted ones are not the peer's copies: they lie in
// the list of the configuration.
static int verify_but_for_a_roots_end(void *data, mbedtls_x509_crt *crt, int depth, uint32_t *flags) {
    const verification_t *asked = data;
    const mbedtls_x509_crt *root = asked->conf->MBEDTLS_PRIVATE(ca_chain);
    for (; root != NULL; root = root->next) {
        if (root == crt && depth > 0) {
            *flags &= ~MBEDTLS_X509_BADCERT_EXPIRED;
        }
    }
    return asked->verify(asked->data, crt, depth, flags);
}

void __real_mbedtls_ssl_conf_verify(mbedtls_ssl_config *conf,
    int (*verify)(void *, mbedtls_x509_crt *, int, uint32_t *), void *data);
void __wrap_mbedtls_ssl_conf_verify(mbedtls_ssl_config *conf,
    int (*verify)(void *, mbedtls_x509_crt *, int, uint32_t *), void *data);

void __wrap_mbedtls_ssl_conf_verify(mbedtls_ssl_config *conf,
    int (*verify)(void *, mbedtls_x509_crt *, int, uint32_t *), void *data) {
    if (!keep_roots || conf->MBEDTLS_PRIVATE(endpoint) != MBEDTLS_SSL_IS_CLIENT) {
        __real_mbedtls_ssl_conf_verify(conf, verify, data);
        return;
    }
    verification_t *asked = m_new_obj(verification_t); // held by conf, which lies in the SSLContext
    asked->conf = conf;
    asked->verify = verify;
    asked->data = data;
    __real_mbedtls_ssl_conf_verify(conf, verify_but_for_a_roots_end, asked);
}

static mp_obj_t keep_expired_roots(mp_obj_t yes) {
    keep_roots = mp_obj_is_true(yes);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(keep_expired_roots_obj, keep_expired_roots);

// ---- Errors

// Mbed TLS hides a lack of memory: behind "invalid key" in a parser, behind "not correctly signed by
// the trusted CA" in a handshake. Where it takes its memory from the collected heap we count what
// it was denied.
static mp_uint_t denied;

#if MICROPY_TRACKED_ALLOC
void *__real_m_tracked_calloc(size_t count, size_t size);
void *__wrap_m_tracked_calloc(size_t count, size_t size);

void *__wrap_m_tracked_calloc(size_t count, size_t size) {
    void *memory = __real_m_tracked_calloc(count, size);
    denied += memory == NULL;
    return memory;
}

static mp_obj_t allocations_denied(void) {
    return mp_obj_new_int_from_uint(denied);
}
static MP_DEFINE_CONST_FUN_OBJ_0(allocations_denied_obj, allocations_denied);
#endif

static bool out_of_memory(int status, mp_uint_t denied_before) {
    int low = -status & 0x7f;
    return denied != denied_before
           || status == MBEDTLS_ERR_ECP_ALLOC_FAILED || status == MBEDTLS_ERR_PK_ALLOC_FAILED
           || low == -MBEDTLS_ERR_MPI_ALLOC_FAILED || low == -MBEDTLS_ERR_ASN1_ALLOC_FAILED;
}

static NORETURN void raise_for(int status, mp_uint_t denied_before) {
    if (out_of_memory(status, denied_before)) {
        mp_raise_type(&mp_type_MemoryError);
    }
    mp_raise_OSError(status);
}

static NORETURN void raise_for_key(int status, mp_uint_t denied_before) {
    if (out_of_memory(status, denied_before)) {
        mp_raise_type(&mp_type_MemoryError);
    }
    mp_raise_ValueError(MP_ERROR_TEXT("invalid key")); // the tls module's words
}

static mp_buffer_info_t bytes_of(mp_obj_t object) {
    mp_buffer_info_t bytes;
    mp_get_buffer_raise(object, &bytes, MP_BUFFER_READ);
    return bytes;
}

static mp_buffer_info_t digest_of(mp_obj_t object) {
    mp_buffer_info_t digest = bytes_of(object);
    if (digest.len != DIGEST_LEN) {
        mp_raise_ValueError(MP_ERROR_TEXT("digest must have 32 bytes"));
    }
    return digest;
}

// ---- Randomness, from the same source as the tls module's

typedef struct {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context drbg;
} chance_t;

static void chance_free(chance_t *chance) {
    mbedtls_ctr_drbg_free(&chance->drbg);
    mbedtls_entropy_free(&chance->entropy);
    m_del(chance_t, chance, 1);
}

static chance_t *chance_new(void) {
    static const unsigned char personal[] = "anchorwatch";
    mp_uint_t before = denied;
    chance_t *chance = m_new0(chance_t, 1);
    mbedtls_entropy_init(&chance->entropy);
    mbedtls_ctr_drbg_init(&chance->drbg);
    int status = mbedtls_ctr_drbg_seed(&chance->drbg, mbedtls_entropy_func, &chance->entropy,
        personal, sizeof(personal) - 1);
    if (status != 0) {
        chance_free(chance);
        raise_for(status, before);
    }
    return chance;
}

// ---- Keys. Nothing may raise between the making of a context and its free: it would leak.

static mp_obj_t verify(mp_obj_t spki_in, mp_obj_t digest_in, mp_obj_t signature_in) {
    mp_buffer_info_t spki = bytes_of(spki_in), digest = digest_of(digest_in), signature = bytes_of(signature_in);
    mp_uint_t before = denied;
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    int parsed = mbedtls_pk_parse_public_key(&key, spki.buf, spki.len);
    int verified = parsed != 0 ? parsed
        : mbedtls_pk_verify(&key, MBEDTLS_MD_SHA256, digest.buf, digest.len, signature.buf, signature.len);
    mbedtls_pk_free(&key);
    if (parsed != 0) {
        raise_for_key(parsed, before);
    }
    if (verified != 0 && out_of_memory(verified, before)) {
        raise_for(verified, before);
    }
    return mp_obj_new_bool(verified == 0);
}
static MP_DEFINE_CONST_FUN_OBJ_3(verify_obj, verify);

static mp_obj_t make_key(void) {
    unsigned char der[DER_ROOM];
    chance_t *chance = chance_new();
    mp_uint_t before = denied;
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    int status = mbedtls_pk_setup(&key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
    if (status == 0) {
        status = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(key),
            mbedtls_ctr_drbg_random, &chance->drbg);
    }
    int length = status != 0 ? status : mbedtls_pk_write_key_der(&key, der, sizeof(der));
    mbedtls_pk_free(&key);
    chance_free(chance);
    if (length < 0) {
        raise_for(length, before);
    }
    mp_obj_t made = mp_obj_new_bytes(der + sizeof(der) - length, length); // written from the end
    mbedtls_platform_zeroize(der, sizeof(der));
    return made;
}
static MP_DEFINE_CONST_FUN_OBJ_0(make_key_obj, make_key);

static mp_obj_t public_key(mp_obj_t key_in) {
    mp_buffer_info_t private = bytes_of(key_in);
    unsigned char der[DER_ROOM];
    chance_t *chance = chance_new();
    mp_uint_t before = denied;
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    int parsed = mbedtls_pk_parse_key(&key, private.buf, private.len, NULL, 0,
        mbedtls_ctr_drbg_random, &chance->drbg);
    int length = parsed != 0 ? parsed : mbedtls_pk_write_pubkey_der(&key, der, sizeof(der));
    mbedtls_pk_free(&key);
    chance_free(chance);
    if (length < 0) {
        raise_for_key(length, before);
    }
    return mp_obj_new_bytes(der + sizeof(der) - length, length);
}
static MP_DEFINE_CONST_FUN_OBJ_1(public_key_obj, public_key);

static mp_obj_t sign(mp_obj_t key_in, mp_obj_t digest_in) {
    mp_buffer_info_t private = bytes_of(key_in), digest = digest_of(digest_in);
    unsigned char signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
    size_t length = 0;
    chance_t *chance = chance_new();
    mp_uint_t before = denied;
    mbedtls_pk_context key;
    mbedtls_pk_init(&key);
    int parsed = mbedtls_pk_parse_key(&key, private.buf, private.len, NULL, 0,
        mbedtls_ctr_drbg_random, &chance->drbg);
    int status = parsed != 0 ? parsed
        : mbedtls_pk_sign(&key, MBEDTLS_MD_SHA256, digest.buf, digest.len, signature, sizeof(signature),
            &length, mbedtls_ctr_drbg_random, &chance->drbg);
    mbedtls_pk_free(&key);
    chance_free(chance);
    if (parsed != 0) {
        raise_for_key(parsed, before);
    }
    if (status != 0) {
        raise_for(status, before);
    }
    return mp_obj_new_bytes(signature, length);
}
static MP_DEFINE_CONST_FUN_OBJ_2(sign_obj, sign);

// ---- The module

static const mp_rom_map_elem_t globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_anchorwatch_mbedtls) },
    { MP_ROM_QSTR(MP_QSTR_IN_CONTENT_LEN), MP_ROM_INT(MBEDTLS_SSL_IN_CONTENT_LEN) },
    { MP_ROM_QSTR(MP_QSTR_set_max_fragment_length), MP_ROM_PTR(&set_max_fragment_length_obj) },
    { MP_ROM_QSTR(MP_QSTR_keep_expired_roots), MP_ROM_PTR(&keep_expired_roots_obj) },
    #if MICROPY_TRACKED_ALLOC
    { MP_ROM_QSTR(MP_QSTR_allocations_denied), MP_ROM_PTR(&allocations_denied_obj) },
    #endif
    { MP_ROM_QSTR(MP_QSTR_verify), MP_ROM_PTR(&verify_obj) },
    { MP_ROM_QSTR(MP_QSTR_make_key), MP_ROM_PTR(&make_key_obj) },
    { MP_ROM_QSTR(MP_QSTR_public_key), MP_ROM_PTR(&public_key_obj) },
    { MP_ROM_QSTR(MP_QSTR_sign), MP_ROM_PTR(&sign_obj) },
};
static MP_DEFINE_CONST_DICT(globals, globals_table);

const mp_obj_module_t anchorwatch_mbedtls_module = {
    .base = { &mp_type_module },
    .globals = (mp_obj_dict_t *)&globals,
};
MP_REGISTER_MODULE(MP_QSTR_anchorwatch_mbedtls, anchorwatch_mbedtls_module);
