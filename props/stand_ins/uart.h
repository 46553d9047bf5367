/* SPDX-License-Identifier: ISC */
/* A UART at COM1's ports, as a driver meets it by kernel control: honest, or one that lies in one of
 * the ways in which they do. It has no memory but this struct, so that two of them in the same state
 * answer the same: one stands behind the driver, the other one in its model. */
#ifndef BASALT_PROPS_STAND_INS_UART_H
#define BASALT_PROPS_STAND_INS_UART_H

#include <stdbool.h>
#include <stdint.h>

enum uart_manner {
    UART_HONEST,
    UART_FULL,     /* takes no byte to send */
    UART_FLOATING, /* there is none: all ones whatever is read, and takes all */
    UART_CHATTERS, /* says that a byte is there for ever */
    UART_MUTE,     /* all zeros: nothing ever comes, and it takes nothing */
    UART_LOSES,    /* says each time that it lost a byte */
    UART_MANNER_COUNT
};

enum { UART_FIFO_BYTES = 16, UART_COMING_BYTES = 8192 };

struct uart {
    enum uart_manner manner;
    uint64_t room_ticks; /* when it was seen to be empty last */
    uint32_t room;       /* bytes that it takes until it is seen to be empty again */
    uint32_t first;      /* of the bytes that have come and are not read */
    uint32_t count;
    bool lost;       /* a byte came for which there was no room */
    uint8_t chatter; /* the next byte of a chatterer */
    uint8_t scratch;
    uint8_t interrupts; /* which it makes: the register */
    uint64_t sent_count;
    uint64_t sent_sum; /* of the bytes that went out, in order */
    uint8_t coming[UART_COMING_BYTES];
};

/* A byte of a port; `now_ticks`: an honest transmitter is empty again a tick later. */
uint8_t uart_read(struct uart *uart, uint32_t port);
/* Whether it was taken: false is BUSY. */
bool uart_write(struct uart *uart, uint32_t port, uint8_t value, uint64_t now_ticks);

/* So many bytes come from outside, each one more than the one before. */
void uart_comes(struct uart *uart, uint32_t count, uint8_t first);

/* Of all that a driver can see of it later. */
uint64_t uart_digest(const struct uart *uart);

#endif
