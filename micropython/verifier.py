# What a board freezes to verify a signed bundle: the modules behind anchorwatch.pki.delivery, and
# the script that measures it. A manifest of MicroPython's build; README.md says how to use it.
package(  # noqa: F821
    "anchorwatch",
    (
        "__init__.py",
        "errors.py",
        "pki/__init__.py",
        "pki/algorithms.py",
        "pki/asn1.py",
        "pki/bundle.py",
        "pki/canonical.py",
        "pki/delivery.py",
        "pki/der.py",
        "pki/distinguished.py",
        "pki/extensions.py",
        "pki/fields.py",
        "pki/metadata.py",
        "pki/p256.py",
        "pki/roles.py",
        "pki/shapes.py",
        "pki/tuf.py",
        "values.py",
        "wire/__init__.py",
        "wire/civil.py",
        "wire/encoding.py",
        "wire/jsonread.py",
    ),
    base_path="../agent",
)
module("deliver.py", base_path="../tests/vectors")  # noqa: F821
