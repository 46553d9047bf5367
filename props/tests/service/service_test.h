/* SPDX-License-Identifier: ISC */
/* What the files of service_test share: a seam that plays a script and keeps a record. */
#ifndef BASALT_PROPS_TESTS_SERVICE_TEST_H
#define BASALT_PROPS_TESTS_SERVICE_TEST_H

#include "services/lib/service.h"

struct service_seam {
    /* script */
    enum status call_status;
    void (*make_reply)(struct message *message);
    enum status recv_status;
    unsigned recv_limit; /* messages until the endpoint is gone; 0: it never is */
    struct message request;
    struct receive_info info;
    enum status reply_status[2];
    uint32_t refused_drop; /* the slot whose DROP is refused; SLOT_NULL: none */
    unsigned lost_replies; /* so many find nobody who waits for them */
    /* record */
    unsigned call_count;
    uint32_t slot;
    struct message sent;     /* the last call that is no DROP */
    unsigned replies_before; /* it */
    uint64_t deadline_ticks;
    unsigned drop_count;
    uint32_t dropped[8];
    unsigned recv_count;
    uint32_t answered_slot; /* since the last message came */
    unsigned reply_count;
    uint32_t reply_slot;
    struct message replies[4];
    unsigned dropped_at_reply; /* DROPs made before the first reply */
    struct message_header recv_header;
};

extern struct service_seam seam;

/* An empty script, which answers OK to everything, and an empty record. */
void fresh(void);

/* Start-up: the envelope, the offer, a failed `prepare` (service_test_start.c). */
void test_start(void);

/* Registering and finding by named (service_test_discovery.c). */
void test_discovery(void);

/* Seeding irqd, registering at it, and what an interrupt is (service_test_interrupts.c). */
void test_interrupts(void);

/* Building a child from an ELF file of the image (service_test_image.c). */
void test_image(void);

#endif
