# QEMU's mps2-an385: a Cortex-M3, an emulated LAN9118 Ethernet, a disk that is a file of the host.
#
# Connect: nothing. 10.0.2.2 is the host's loopback. No part with these figures is sold; what a real
# one would need of flash and RAM is in README.md.
name = "Cortex-M3 under QEMU"
build = "qemu-mps2"               # as the board says of itself in sys.platform
epoch_year = 2000                 # time.gmtime(0)[0]
network = "LAN9118 Ethernet, lwIP"
heap_kib = 373                    # free after boot, measured; a run may have another heap
disk_kib = None                   # as large as the host's file
file_system = "LittleFS or FAT"
second_session = True             # room for a second TLS session beside the live one
handshake_kib = 40                # free heap below which a failed handshake says nothing of trust
tls_in_bytes = 16384              # the longest record it takes in; firmware-4k.elf: 4096
tls_versions = ("1.2",)
client_keys = ("ec-p256", "rsa-2048")
watchdog_s = 60                   # the longest between two feeds
keeps_time_without_power = False
