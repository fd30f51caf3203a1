# MicroPython's unix port with the memory of a board: TLS takes its buffers from the heap that is
# collected, and `-X heapsize=` says how large that is. Its words have 64 bits, twice a board's.
#
# Connect: nothing. Its network and its disk are the computer's.
name = "MicroPython on Linux, small heap"
build = "unix-small-heap"         # as the board says of itself in sys.implementation._build
epoch_year = 1970                 # time.gmtime(0)[0]
network = "the computer's"
heap_kib = None                   # as `-X heapsize=` says
disk_kib = None                   # the computer's
file_system = "the computer's"
second_session = False            # no room for a second TLS session beside the live one
handshake_kib = 44                # free heap below which a failed handshake says nothing of trust
tls_in_bytes = 16384              # the longest record it takes in; micropython-4k: 4096
tls_versions = ("1.2",)
client_keys = ("ec-p256", "rsa-2048")
watchdog_s = 0                    # none
keeps_time_without_power = True
