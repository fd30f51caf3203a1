# Raspberry Pi Pico W: RP2040 with 264 KB of RAM, 2 MB of flash, CYW43439 for Wi-Fi.
#
# Connect: USB to the computer (console, flashing); RUN (pin 30) to the rig's reset line; VSYS (pin
# 39) to the rig's power relay, the USB cable without its power wire (README.md).
name = "Raspberry Pi Pico W"
build = "RPI_PICO_W"              # as the board says of itself in sys.implementation._build
epoch_year = 1970                 # time.gmtime(0)[0]
network = "Wi-Fi"
heap_kib = None                   # not measured
disk_kib = 848                    # of the stock firmware; 640 is what README.md advises
file_system = "LittleFS 2"
second_session = False            # two input buffers and their state would take most of the heap
handshake_kib = 40                # not measured: as qemu-mps2, whose words are as wide
tls_in_bytes = 16384              # the longest record that fits into the buffer
tls_versions = ("1.2",)
client_keys = ("ec-p256", "rsa-2048")
watchdog_s = 120                  # the longest between two feeds, by hooks.py: the chip's is 8 s
keeps_time_without_power = False
