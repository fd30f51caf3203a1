# Read by MicroPython's cmake (ESP32, RP2); what is built is the same as in micropython.mk, and goes
# with the manifest of micropython/resident.
add_library(usermod_anchorwatch_resident INTERFACE)

target_sources(usermod_anchorwatch_resident INTERFACE
    ${CMAKE_CURRENT_LIST_DIR}/anchorwatch_resident.c
)

target_include_directories(usermod_anchorwatch_resident INTERFACE
    ${CMAKE_CURRENT_LIST_DIR}
)

target_compile_definitions(usermod_anchorwatch_resident INTERFACE
    ANCHORWATCH_RESIDENT
    MICROPY_MODULE_BUILTIN_SUBPACKAGES=1
)

target_link_libraries(usermod INTERFACE usermod_anchorwatch_resident)
