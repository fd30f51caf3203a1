"""The C modules under both of MicroPython's ways to build: make, and cmake for ESP32 and RP2.

Rule: what make is told is what the tests of the built programs have tried; cmake is told the same.
"""

import re
import shutil
import subprocess

import pytest

from tests import house

CMODULE = house.ROOT / "micropython" / "cmodule"
MODULE = CMODULE / "anchorwatch_mbedtls"
MODULES = [MODULE, CMODULE / "anchorwatch_resident"]
SYSTEM = house.ROOT / ".ci" / "system"
USERMOD = house.ROOT / "build" / "micropython" / "src" / "py" / "usermod.cmake"
TIME_LIMIT_S = 120
PROJECT = """
cmake_minimum_required(VERSION 3.13)
project(firmware C)
set(USER_C_MODULES "%s")
include("%s")
file(WRITE main.c "int main(void) { return 0; }")
add_executable(firmware main.c)
target_link_libraries(firmware usermod)
foreach(property SOURCES INCLUDE_DIRECTORIES LINK_OPTIONS)
    get_target_property(value usermod_anchorwatch_mbedtls INTERFACE_${property})
    message(STATUS "${property}: ${value}")
endforeach()
message(STATUS "QSTR: ${MICROPY_SOURCE_USERMOD}")
"""

pytestmark = pytest.mark.micropython


def make_says(module=MODULE):
    """(sources, folders, definitions, flags of the linker), by names"""
    text = (module / "micropython.mk").read_text(encoding="utf-8")
    sources = re.findall(r"^SRC_USERMOD_C \+= \$\(USERMOD_DIR\)/(\S+)$", text, re.M)
    folders = re.findall(r"^CFLAGS_USERMOD \+= -I\$\(USERMOD_DIR\)(\S*)$", text, re.M)
    defined = re.findall(r"-D(\S+)", text)
    return sources, folders, defined, re.findall(r"^LDFLAGS_USERMOD \+= (\S+)$", text, re.M)


def cmake_says(module):
    """The same, as far as the file can be read without cmake."""
    text = (module / "micropython.cmake").read_text(encoding="utf-8")
    sources = re.findall(r"^    \$\{CMAKE_CURRENT_LIST_DIR\}/(\S+)$", text, re.M)
    folders = re.findall(r"^    \$\{CMAKE_CURRENT_LIST_DIR\}()$", text, re.M)
    defined = re.findall(r"^    ([A-Z_]+(?:=\d+)?)$", text, re.M)
    return sources, folders, defined, re.findall(r"^    (-Wl\S+)$", text, re.M)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_make_and_cmake_build_the_same(module):
    sources, folders, defined, linked = make_says(module)
    assert (sources, folders, defined, linked) == cmake_says(module)
    assert folders and (defined or linked)
    assert sorted(sources) == [one.name for one in module.glob("*.c")]


def test_every_function_put_before_another_is_told_to_the_linker():
    text = (MODULE / "anchorwatch_mbedtls.c").read_text(encoding="utf-8")
    wrapped = set(re.findall(r"\b__wrap_(\w+)\(", text))
    assert wrapped and {"-Wl,--wrap=" + name for name in wrapped} == set(make_says()[3])


@pytest.mark.lane_firmware
def test_project_that_names_the_file_configures(tmp_path):
    """With MicroPython's own reader of user modules."""
    subprocess.run([SYSTEM, "cmake", "cmake"], check=True, timeout=3 * TIME_LIMIT_S)
    if shutil.which("cmake") is None:
        pytest.skip("no cmake: as root, apt-get install cmake")
    if not USERMOD.exists():
        pytest.skip("no sources of MicroPython: make firmware PORT=unix")
    project = PROJECT % (CMODULE / "micropython.cmake", USERMOD)
    (tmp_path / "CMakeLists.txt").write_text(project, encoding="utf-8")
    done = subprocess.run(["cmake", "-S", tmp_path, "-B", tmp_path / "build"], check=False,
                          capture_output=True, text=True, timeout=TIME_LIMIT_S)  # fmt: skip
    said = dict(re.findall(r"^-- (\w+): (\S+)$", done.stdout, re.M))
    assert done.returncode == 0, done.stderr
    for module in MODULES:
        assert f"usermod_{module.name}" in done.stdout + done.stderr
        assert str(module / f"{module.name}.c") in said["QSTR"].split(";")
    assert said["SOURCES"] == str(MODULE / "anchorwatch_mbedtls.c")
    assert said["INCLUDE_DIRECTORIES"] == str(MODULE)
    assert said["LINK_OPTIONS"].split(";") == make_says()[3]
