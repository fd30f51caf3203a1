# For MicroPython's cmake (ESP32, RP2): USER_C_MODULES names this file for a firmware with the manifest
# of micropython/resident, and anchorwatch_mbedtls/micropython.cmake for one with any other.
include(${CMAKE_CURRENT_LIST_DIR}/anchorwatch_mbedtls/micropython.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/anchorwatch_resident/micropython.cmake)
