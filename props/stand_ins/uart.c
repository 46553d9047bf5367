/* SPDX-License-Identifier: ISC */
/* See uart.h. */
#include "props/stand_ins/uart.h"

#include "props/stand_ins/stand_in_objects.h"

enum {
    DATA = 0x3F8,
    INTERRUPTS = 0x3F9,
    STATUS = 0x3FD,
    SCRATCH = 0x3FF,
    STATUS_RECEIVED = 0x01,
    STATUS_LOST = 0x02,
    STATUS_EMPTY = 0x60
};

static uint8_t status_of(struct uart *uart)
{
    bool lost = uart->lost || uart->manner == UART_LOSES;
    bool received = uart->count != 0 || uart->manner == UART_CHATTERS;
    uart->lost = false; /* reading it clears it */
    return (uint8_t)(STATUS_EMPTY | (lost ? STATUS_LOST : 0) | (received ? STATUS_RECEIVED : 0));
}

static uint8_t data_of(struct uart *uart)
{
    if (uart->count == 0)
        return uart->manner == UART_CHATTERS ? uart->chatter++ : 0;
    uint8_t byte = uart->coming[uart->first];
    uart->first = (uart->first + 1) % UART_COMING_BYTES;
    uart->count--;
    return byte;
}

uint8_t uart_read(struct uart *uart, uint32_t port)
{
    if (uart->manner == UART_FLOATING)
        return 0xFF;
    if (uart->manner == UART_MUTE)
        return 0;
    if (port == STATUS)
        return status_of(uart);
    if (port == DATA)
        return data_of(uart);
    return port == SCRATCH ? uart->scratch : 0;
}

bool uart_write(struct uart *uart, uint32_t port, uint8_t value, uint64_t now_ticks)
{
    if (port == SCRATCH)
        uart->scratch = value;
    if (port == INTERRUPTS)
        uart->interrupts = value;
    if (port != DATA)
        return true;
    if (uart->manner == UART_FULL || uart->manner == UART_MUTE)
        return false;
    if (uart->manner != UART_FLOATING) {
        if (uart->room == 0 && now_ticks <= uart->room_ticks)
            return false;
        if (uart->room == 0) {
            uart->room = UART_FIFO_BYTES;
            uart->room_ticks = now_ticks;
        }
        uart->room--;
        uart->sent_count++;
        uart->sent_sum = stand_in_mix(uart->sent_sum ^ value);
    }
    return true;
}

void uart_comes(struct uart *uart, uint32_t count, uint8_t first)
{
    for (uint32_t i = 0; i < count; i++) {
        if (uart->count == UART_COMING_BYTES) {
            uart->lost = true;
            return;
        }
        uint32_t place = (uart->first + uart->count++) % UART_COMING_BYTES;
        uart->coming[place] = (uint8_t)(first + i);
    }
}

uint64_t uart_digest(const struct uart *uart)
{
    uint64_t fields[] = {uart->manner,     uart->room_ticks, uart->room,    uart->first,
                         uart->count,      uart->lost,       uart->chatter, uart->scratch,
                         uart->interrupts, uart->sent_count, uart->sent_sum};
    uint64_t sum = 0;
    for (unsigned i = 0; i < sizeof fields / sizeof fields[0]; i++)
        sum = stand_in_mix(sum ^ fields[i]);
    return sum;
}
