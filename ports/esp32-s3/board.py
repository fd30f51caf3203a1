# ESP32-S3-DevKitC-1 with 8 MB of flash and 8 MB of octal PSRAM (module WROOM-1-N8R8).
#
# Connect: the port marked UART to the computer (console, flashing); EN to the rig's reset line;
# the 5V pin to the rig's power relay, both USB ports without power of their own (README.md).
name = "ESP32-S3-DevKitC-1"
build = "ESP32_GENERIC_S3-SPIRAM_OCT"  # as the board says of itself in sys.implementation._build
epoch_year = 2000                 # time.gmtime(0)[0]
network = "Wi-Fi"
heap_kib = None                   # not measured; grows into the 8 MB of PSRAM
disk_kib = 6016                   # 8 MB less boot loader and firmware, by the 4MiBplus table
file_system = "LittleFS 2"
second_session = False            # not measured: a choice, until two were seen side by side
handshake_kib = 48                # not measured; by tls_free in hooks.py, not by the heap
tls_in_bytes = 16384              # the longest record that fits into the buffer
tls_versions = ("1.2",)
client_keys = ("ec-p256", "rsa-2048")
watchdog_s = 120                  # the longest between two feeds
keeps_time_without_power = False
