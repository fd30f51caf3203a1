"""How the lane gets the clients nobody here wrote, and says why when it cannot."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hil.bench import sdk

NSS_WRAPPER = ("/usr/lib/*/libnss_wrapper.so", "/usr/lib*/libnss_wrapper.so")


def sdk_python() -> str:
    """The Python of the virtual environment that holds Microsoft's SDK; the bench's too."""
    try:
        return sdk.python()
    except sdk.NoSdk as e:
        pytest.skip(str(e))


def _run(failure: str, command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip(f"{failure}: {done.stderr.strip()[-300:]}")


def mosquitto_pub() -> str:
    """The path of Debian's client."""
    _debian("mosquitto-clients", lambda: shutil.which("mosquitto_pub"))
    return shutil.which("mosquitto_pub")


def tinyproxy() -> str:
    """The path of Debian's proxy."""
    _debian("tinyproxy", _tinyproxy_file)
    return _tinyproxy_file()


def _tinyproxy_file() -> str | None:
    return shutil.which("tinyproxy", path="/usr/bin:/usr/sbin:/usr/local/bin")


def strongswan_pki() -> str:
    """The path of strongSwan's program for certificates, with what it fetches by."""
    _debian("strongswan-pki", lambda: shutil.which("pki"))
    _debian("libstrongswan-standard-plugins", lambda: _plugin("gcrypt"))
    _debian("libstrongswan-extra-plugins", lambda: _plugin("curl"))
    return shutil.which("pki")


def _plugin(name: str) -> bool:
    return Path(f"/usr/lib/ipsec/plugins/libstrongswan-{name}.so").exists()


def nss_wrapper() -> str:
    """The library that gives an unmodified program its own hosts file."""
    _debian("libnss-wrapper", _nss_wrapper_file)
    return _nss_wrapper_file()


def _nss_wrapper_file() -> str | None:
    found = [file for shape in NSS_WRAPPER for file in Path("/").glob(shape[1:])]
    return str(found[0]) if found else None


def _debian(package: str, is_there) -> None:
    if is_there():
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        pytest.skip(f"Debian's package {package} is missing: apt-get install {package}, as root")
    print(f"installing Debian's package {package}")
    _run(f"apt-get cannot install {package}", ["apt-get", "install", "-y", package])
