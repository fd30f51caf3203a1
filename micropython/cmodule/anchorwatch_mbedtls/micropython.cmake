# Read by MicroPython's cmake (ESP32, RP2) where USER_C_MODULES names this file. What is built and how
# it is linked is the same as in micropython.mk.
add_library(usermod_anchorwatch_mbedtls INTERFACE)

target_sources(usermod_anchorwatch_mbedtls INTERFACE
    ${CMAKE_CURRENT_LIST_DIR}/anchorwatch_mbedtls.c
)

target_include_directories(usermod_anchorwatch_mbedtls INTERFACE
    ${CMAKE_CURRENT_LIST_DIR}
)

target_link_options(usermod_anchorwatch_mbedtls INTERFACE
    -Wl,--wrap=mbedtls_ssl_config_defaults
    -Wl,--wrap=mbedtls_ssl_conf_verify
    -Wl,--wrap=m_tracked_calloc
)

target_link_libraries(usermod INTERFACE usermod_anchorwatch_mbedtls)
