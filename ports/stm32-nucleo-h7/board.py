# ST NUCLEO-H743ZI: STM32H743 with 2 MB of flash, 512 KB of RAM for the program, Ethernet.
#
# Connect: the ST-LINK's USB to the computer (console on UART3, flashing); NRST to the rig's reset
# line; E5V to the rig's power relay, its jumper set to it; a card for the disk (README.md).
name = "ST NUCLEO-H743ZI"
build = "NUCLEO_H743ZI"           # as the board says of itself in sys.implementation._build
epoch_year = 2000                 # time.gmtime(0)[0]
network = "Ethernet"
heap_kib = None                   # not measured
disk_kib = None                   # the card's: the 128 KB inside the chip are not for the state
file_system = "FAT on a card"
second_session = False            # not measured: a choice, until two were seen side by side
handshake_kib = 40                # not measured: as qemu-mps2, whose words are as wide
tls_in_bytes = 16384              # the longest record that fits into the buffer
tls_versions = ("1.2",)
client_keys = ("ec-p256", "rsa-2048")
watchdog_s = 120                  # the longest between two feeds, by hooks.py: the chip's is 30 s
keeps_time_without_power = False  # VBAT hangs on the board's own 3.3 V
