# MicroPython's unix port: the reference program, on any Linux.
#
# Connect: nothing. Its network and its disk are the computer's.
name = "MicroPython on Linux"
build = "unix"                    # as the board says of itself in sys.implementation._build
epoch_year = 1970                 # time.gmtime(0)[0]
network = "the computer's"
heap_kib = 2048                   # unless `-X heapsize=` says otherwise
disk_kib = None                   # the computer's
file_system = "the computer's"
second_session = True             # room for a second TLS session beside the live one
handshake_kib = 0                 # TLS takes its memory from the C library, not from the heap
tls_in_bytes = 16384              # the longest record that fits into the buffer
tls_versions = ("1.2",)
client_keys = ("ec-p256", "rsa-2048")
watchdog_s = 0                    # none
keeps_time_without_power = True
