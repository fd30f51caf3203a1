// lwIP for one Ethernet, IPv4, a handful of TCP connections: about 30 KB of RAM.
#ifndef ANCHORWATCH_LWIPOPTS_H
#define ANCHORWATCH_LWIPOPTS_H

#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 1      // modlwip has its functions
#define LWIP_SOCKET 0
#define LWIP_NETCONN 0
#define LWIP_IPV6 0
#define LWIP_DHCP 0
#define LWIP_DNS 1                  // MicroPython's socket module calls it; no server is set
#define LWIP_IGMP 1                 // as above
#define LWIP_MDNS_RESPONDER 0
#define LWIP_RAW 0
#define LWIP_STATS 0
#define SO_REUSE 1
#define TCP_LISTEN_BACKLOG 1

// Two sessions, a look and a fetch at once, and some that are closing.
#define MEMP_NUM_TCP_PCB 8
#define MEMP_NUM_TCP_PCB_LISTEN 2
#define MEMP_NUM_TCP_SEG 32
#define MEM_ALIGNMENT 4
#define MEM_SIZE (12 * 1024)
#define TCP_MSS 1460
#define TCP_WND (4 * TCP_MSS)
#define TCP_SND_BUF (4 * TCP_MSS)
#define PBUF_POOL_SIZE 12

#define sys_now mp_hal_ticks_ms
#define LWIP_HOOK_FILENAME "hooks.h"

#endif
