// lwIP asks here where to send what is not for the board's own network.
#ifndef ANCHORWATCH_LWIP_HOOKS_H
#define ANCHORWATCH_LWIP_HOOKS_H

struct netif;
struct netif *ethernet_route(const void *to);
#define LWIP_HOOK_IP4_ROUTE(to) ethernet_route(to)

#endif
