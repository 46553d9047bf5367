/* SPDX-License-Identifier: ISC */
/* What test-ready does with its start envelope. It stands in the place of a service: which of these
 * it is says the first of its data words (services/probes/layout.h), which a test writes into the
 * program's file. As built it is none of them, and answers as a service does. */
#ifndef BASALT_SERVICES_PROBES_READY_H
#define BASALT_SERVICES_PROBES_READY_H

enum ready_mode {
    READY_OTHER_ROLE = 1, /* READY for a role that it is not */
    READY_OTHER_COUNT,    /* READY, having checked one capability more than there are */
    READY_LATE,           /* READY as it should be, after its time is over */
    READY_NEVER,          /* no answer, and it goes on living */
    READY_FAULTS,         /* no answer: it faults */
    READY_DIES            /* READY as it should be; it faults a second later */
};

#endif
