// lwIP's network interface over the emulated LAN9118: polled, one address, loopback only.
//
// Rule: the guest reaches 10.0.2.0/24 (where 10.0.2.2 is the host's 127.0.0.1) and 127.0.0.0/8 (which
// QEMU's user network opens on the host's own loopback), and nothing else, whatever runs on it.
// Source: SMSC LAN9118 data sheet, chapters 3 and 5.

#include <string.h>

#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"

#include "board.h"
#include "hooks.h"

#define LAN(offset) REGISTER(0x40200000 + (offset))
#define RX_DATA LAN(0x00)
#define TX_DATA LAN(0x20)
#define RX_STATUS LAN(0x40)
#define TX_STATUS LAN(0x48)
#define IRQ_CFG LAN(0x54)
#define INT_STS LAN(0x58)
#define INT_EN LAN(0x5c)
#define TX_CFG LAN(0x70)
#define HW_CFG LAN(0x74)
#define RX_FIFO LAN(0x7c)
#define TX_FIFO LAN(0x80)
#define MAC_CMD LAN(0xa4)
#define MAC_DATA LAN(0xa8)

#define HW_STORE_AND_FORWARD (1u << 20)
#define HW_TX_FIFO_5_KB (5u << 16)
#define IRQ_ON_HIGH_PUSHED (1u << 8 | 1u << 4 | 1u)
#define INT_FRAME_CAME (1u << 3)
#define TX_ON (1u << 1)
#define TX_WHOLE_FRAME (1u << 13 | 1u << 12)
#define RX_ERROR (1u << 15)
#define MAC_WRITE (1u << 31)
enum { MAC_CR = 1, MAC_ADDRH = 2, MAC_ADDRL = 3 };
#define MAC_BOTH_WAYS (1u << 3 | 1u << 2)
#define NVIC_ENABLE REGISTER(0xe000e100)
#define ETHERNET_IRQ (1u << 13)

#define FRAME 1514
static const uint8_t ADDRESS[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
static struct netif lan;

// modlwip asks it when a name has addresses of both kinds; here there is IPv4 alone.
int mp_mod_network_prefer_dns_use_ip_version = 4;

static void mac_write(int index, uint32_t value) {
    MAC_DATA = value;
    MAC_CMD = MAC_WRITE | index;
}

static err_t transmit(struct netif *netif, struct pbuf *p) {
    static uint32_t words[(FRAME + 3) / 4];
    if (p->tot_len > FRAME) {
        return ERR_ARG;
    }
    pbuf_copy_partial(p, words, p->tot_len, 0);
    TX_DATA = TX_WHOLE_FRAME | p->tot_len;
    TX_DATA = p->tot_len;
    for (int i = 0; i < (p->tot_len + 3) / 4; i++) {
        TX_DATA = words[i];
    }
    while (TX_FIFO >> 16 & 0xff) {
        (void)TX_STATUS;
    }
    return ERR_OK;
}

bool ethernet_has_frames(void) {
    return RX_FIFO >> 16 & 0xff;
}

// One frame out of the chip's memory; NULL if it is damaged, too long, or no buffer is free.
static struct pbuf *receive(void) {
    static uint32_t words[(FRAME + 4 + 3) / 4];
    uint32_t status = RX_STATUS;
    size_t length = status >> 16 & 0x3fff;      // with 4 bytes of checksum
    for (size_t i = 0; i < (length + 3) / 4; i++) {
        uint32_t word = RX_DATA;
        if (i < LWIP_ARRAYSIZE(words)) {
            words[i] = word;
        }
    }
    if (status & RX_ERROR || length < 4 || length > sizeof words) {
        return NULL;
    }
    struct pbuf *p = pbuf_alloc(PBUF_RAW, length - 4, PBUF_POOL);
    if (p != NULL) {
        pbuf_take(p, words, length - 4);
    }
    return p;
}

void ethernet_poll(void) {
    INT_STS = INT_FRAME_CAME;
    while (ethernet_has_frames()) {
        struct pbuf *p = receive();
        if (p != NULL && lan.input(p, &lan) != ERR_OK) {
            pbuf_free(p);
        }
    }
    sys_check_timeouts();
}

// No interface is lwIP's default one, so whatever is refused here is unreachable at once.
struct netif *ethernet_route(const void *to) {
    return ip4_addr_isloopback((const ip4_addr_t *)to) ? &lan : NULL;
}

static err_t setup(struct netif *netif) {
    netif->name[0] = 'e';
    netif->name[1] = 'n';
    netif->mtu = 1500;
    netif->hwaddr_len = sizeof ADDRESS;
    memcpy(netif->hwaddr, ADDRESS, sizeof ADDRESS);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    netif->output = etharp_output;
    netif->linkoutput = transmit;
    HW_CFG = HW_STORE_AND_FORWARD | HW_TX_FIFO_5_KB;
    TX_CFG = TX_ON;
    mac_write(MAC_ADDRH, ADDRESS[4] | ADDRESS[5] << 8);
    mac_write(MAC_ADDRL, ADDRESS[0] | ADDRESS[1] << 8 | ADDRESS[2] << 16 | (uint32_t)ADDRESS[3] << 24);
    mac_write(MAC_CR, MAC_BOTH_WAYS);
    IRQ_CFG = IRQ_ON_HIGH_PUSHED;
    INT_EN = INT_FRAME_CAME;
    NVIC_ENABLE = ETHERNET_IRQ;
    return ERR_OK;
}

void ethernet_init(void) {
    ip4_addr_t address, mask, gateway;
    IP4_ADDR(&address, 10, 0, 2, 15);
    IP4_ADDR(&mask, 255, 255, 255, 0);
    IP4_ADDR(&gateway, 10, 0, 2, 2);
    lwip_init();
    netif_add(&lan, &address, &mask, &gateway, NULL, setup, ethernet_input);
    netif_set_up(&lan);
}
