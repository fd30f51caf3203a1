"""MicroPython's sources and what it is built with, from the Debian archive by the ordinary apt.

    python3 ports/sources.py        fetches, checks, unpacks; prints the folder of MicroPython

Rule: a file counts only with the SHA-256 pinned here, wherever it came from. Debian's patches stay
away: they would take the system's Mbed TLS instead of the one built in. Fetched once, into
build/cache or the folder named by ANCHORWATCH_CACHE; later runs need no network.
"""

import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
NEST = ROOT / "build" / "micropython"
PRODUCTS = ROOT / "build" / "firmware"
CACHE = pathlib.Path(os.environ.get("ANCHORWATCH_CACHE") or ROOT / "build" / "cache").resolve()
APT_LIMIT_S = 300

# Each pairing was built and tried. The stable release comes first, for it does not move; but a
# security update takes its old Mbed TLS away, and then the next one serves.
PINS = {
    "micropython": (
        ("micropython_1.25.0+ds.orig.tar.xz",
         "7b25be99a502f070b2de81dafc08da7051d992325d6e67daa9045a918fffdbea"),
    ),
    "mbedtls": (
        ("mbedtls_3.6.6.orig.tar.bz2",
         "8fb65fae8dcae5840f793c0a334860a411f884cc537ea290ce1c52bb64ca007a"),
        ("mbedtls_3.6.7.orig.tar.bz2",
         "a7e8bcbec0e6f761b4af24f25677626b35f762f68eef79c08677a363212d11f6"),
    ),
    "lwip": (
        ("lwip_2.2.1+dfsg1.orig.tar.xz",
         "83729c274c499d3348e9fbbe043a3113f3fa8953e7efddc7c21c7fcbb1f2b7b1"),
    ),
}  # fmt: skip
SUITES = ("trixie", "forky", "sid")
KEYRING = pathlib.Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class NoSources(Exception):
    """What is missing, why, and what to do about it."""


def sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def cached(package):
    """The first pinned file of the package that is here and right, or None."""
    for name, pin in PINS[package]:
        file = CACHE / name
        if file.is_file() and sha256(file) == pin:
            return file
    return None


def archive():
    """Where this system takes its own Debian packages from; their sources are beside them."""
    found = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(COMPONENT)")
    known = {line.split()[0] for line in found.splitlines() if line.endswith(" main")}
    # Others may have a component of that name too; Debian's archive has its own in the path.
    debian = sorted([uri for uri in known if uri.rstrip("/").endswith("/debian")])
    if not debian:
        raise NoSources("apt has no archive of Debian here")
    return debian[0]


def run(*command, folder=None):
    """What a program prints; NoSources with its own last words if it fails."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True,
                              timeout=APT_LIMIT_S)  # fmt: skip
    except FileNotFoundError:
        raise NoSources("there is no %s here" % command[0]) from None
    except subprocess.TimeoutExpired:
        raise NoSources("%s did not answer in %d s" % (command[0], APT_LIMIT_S)) from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line[:2] == "E:"]
        raise NoSources(" ".join(said[-2:]) or "%s failed" % command[0])
    return done.stdout


class Archive:
    """One suite's list of sources, in apt folders of our own: the system's stay as they are."""

    def __init__(self, suite, nest):
        self._nest = nest
        for part in ("parts", "lists/partial", "archives/partial"):
            (nest / part).mkdir(parents=True, exist_ok=True)
        lines = ["Types: deb-src", "URIs: " + archive(), "Suites: " + suite,
                 "Components: main"]  # fmt: skip
        if KEYRING.exists():
            lines.append("Signed-By: %s" % KEYRING)
        text = "\n".join(lines) + "\n"
        (nest / "parts" / "anchorwatch.sources").write_text(text, encoding="utf-8")
        self._apt("apt-get", "update", "--error-on=any")

    def _apt(self, program, *words):
        settings = {"Dir::Etc::sourcelist": "/dev/null", "Dir::Etc::sourceparts": "parts",
                    "Dir::State::Lists": "lists", "Dir::Cache": ".",
                    "Acquire::Languages": "none"}  # fmt: skip
        here = {key: self._nest / value if key.startswith("Dir") else value
                for key, value in settings.items()}  # fmt: skip
        if os.geteuid() == 0:
            here["APT::Sandbox::User"] = "root"  # else apt's own user must reach this folder
        options = ["-o%s=%s" % pair for pair in here.items()]
        return run(program, *options, *words, folder=self._nest)

    def take(self, package, into):
        """Fetch the best pinned file of the package that this suite has, if any."""
        listed = self._apt("apt-cache", "--only-source", "showsrc", package)
        for name, pin in PINS[package]:
            for source in listed.split("\n\n"):
                if pin not in source:
                    continue
                version = source.partition("\nVersion: ")[2].partition("\n")[0]
                wanted = "%s=%s" % (package, version)
                self._apt("apt-get", "source", "--download-only", "--tar-only", wanted)
                shutil.move(self._nest / name, into / name)
                return


def fetch():
    """Bring what is not in the cache; NoSources if something is still missing then."""
    reason = "no suite of %s has it any more" % " ".join(SUITES)
    nest = NEST / "apt"
    for suite in SUITES:
        missing = [package for package in PINS if cached(package) is None]
        if not missing:
            return
        print("ports/sources: %s from Debian %s" % (", ".join(missing), suite), file=sys.stderr)
        CACHE.mkdir(parents=True, exist_ok=True)
        try:
            archive = Archive(suite, nest)
            for package in missing:
                archive.take(package, CACHE)
        except NoSources as problem:
            reason = str(problem)
        finally:
            shutil.rmtree(nest, ignore_errors=True)
    for package in PINS:
        if cached(package) is None:
            raise NoSources(remedy(package, reason))


def remedy(package, reason):
    """What a person needs to know to go on without the archive."""
    files = " or ".join(["%s (SHA-256 %s)" % pin for pin in PINS[package]])
    do = "Put %s into %s, or set ANCHORWATCH_CACHE to a folder that has it." % (files, CACHE)
    return "%s could not be fetched: %s\n%s" % (package, reason, do)


def unpack(file, folder):
    """The content of the tar's one top folder becomes `folder`."""
    beside = folder.with_name(folder.name + ".new")
    for old in (beside, folder):
        shutil.rmtree(old, ignore_errors=True)
    with tarfile.open(file) as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extraction_filter = tarfile.data_filter
        tar.extractall(beside)
    (top,) = beside.iterdir()
    top.rename(folder)
    beside.rmdir()


def lay_out(files):
    """src/ is MicroPython; its lib/ has links to what lies beside it."""
    stamp = NEST / "src" / ".anchorwatch"
    text = "".join(["%s\n" % file.name for file in files.values()])
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == text:
        return
    shutil.rmtree(PRODUCTS, ignore_errors=True)  # a tar's dates would not have them built again
    for package, file in files.items():
        unpack(file, NEST / ("src" if package == "micropython" else package))
    for package in ("mbedtls", "lwip"):
        place = NEST / "src" / "lib" / package
        place.rmdir()
        place.symlink_to("../../" + package)
    # The build only looks whether its library of Python modules is there; nothing of it is used.
    (NEST / "nolib").mkdir(exist_ok=True)
    (NEST / "nolib" / "README.md").write_text("Empty on purpose.\n", encoding="utf-8")
    stamp.write_text(text, encoding="utf-8")


def main():
    NEST.mkdir(parents=True, exist_ok=True)
    with open(NEST / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            fetch()
        except NoSources as problem:
            print("ports/sources: %s" % problem, file=sys.stderr)
            return 3
        lay_out({package: cached(package) for package in PINS})
    print(NEST / "src")
    return 0


if __name__ == "__main__":
    sys.exit(main())
