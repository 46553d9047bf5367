/* SPDX-License-Identifier: ISC */
/* What drv-serial must answer and ask of its UART, written from its contract
 * (services/drv_serial/drv_serial.h) with a plain list of received bytes, and a UART of its own in the
 * same state as the one behind the driver (props/stand_ins/uart.h). It predicts the status of every
 * message, and after every turn each answer with its bytes, and the state of both UARTs. */
#ifndef BASALT_PROPS_MODELS_MODEL_DRV_SERIAL_H
#define BASALT_PROPS_MODELS_MODEL_DRV_SERIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/messages/drv_serial.h"
#include "props/models/model.h"
#include "props/stand_ins/uart.h"

enum { MODEL_DRV_SERIAL_RING = 4096, MODEL_DRV_SERIAL_ANSWERS = 4, MODEL_DRV_SERIAL_LIMIT = 64 };

struct model_drv_serial_waiter {
    uint32_t reply_slot; /* 0: nobody */
    uint32_t role;
    uint64_t request_id;
    uint64_t deadline_ticks;
    bool gone; /* its caller waits no more, which the driver does not know */
};

/* An answer that comes later than its message. */
struct model_drv_serial_answer {
    uint32_t reply_slot;
    uint64_t request_id;
    bool is_read;
    bool gone;
    struct drv_serial_write_reply write;
    struct drv_serial_read_reply read;
};

struct model_drv_serial {
    struct uart uart;
    uint64_t now_ticks;
    uint64_t lost_count;
    bool owes_ack;
    bool has_more;
    uint32_t ring_count;
    uint8_t ring[MODEL_DRV_SERIAL_RING]; /* oldest first */
    struct model_drv_serial_waiter writer;
    struct model_drv_serial_waiter reader;
    uint64_t write_deadline_ticks;
    uint32_t write_count;
    uint32_t write_taken;
    uint8_t write_bytes[SERIAL_BYTES_MAX];
    uint32_t acks; /* that irqd has taken */
    uint32_t answer_count;
    struct model_drv_serial_answer answers[MODEL_DRV_SERIAL_ANSWERS]; /* of this turn, in order */
};

/* A driver that has just started. */
void model_drv_serial_reset(struct model_drv_serial *model, uint64_t now_ticks);

/* The verdict of a delivered message, received at `now_ticks`; *later: it is answered later. */
enum status model_drv_serial_step(struct model_drv_serial *model, const struct message *request,
                                  uint32_t reply_slot, uint64_t now_ticks, bool *later);
void model_drv_serial_interrupt(struct model_drv_serial *model);

/* The rest of the turn. */
void model_drv_serial_tick(struct model_drv_serial *model, uint64_t now_ticks,
                           const struct model_failure *failure);

/* The caller behind a reply slot waits no more. */
void model_drv_serial_gone(struct model_drv_serial *model, uint32_t reply_slot);

/* When the driver has something to do by itself; UINT64_MAX: never. */
uint64_t model_drv_serial_next(const struct model_drv_serial *model);

#endif
