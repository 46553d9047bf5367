/* SPDX-License-Identifier: ISC */
/* tester: runs the helpers of an integration image, says how each ended, and that nothing is left
 * of them. rootd launches it in images with a validation profile and goes on when it has ended with
 * EXIT(0). A second program, `attacks`, is the same with attackers instead of helpers; rootd
 * launches it before the tester in the image of profile attacks. A third one, `test-operator`, asks
 * the foundation questions, each with a stated answer (operations.h), in an image of its own. Each
 *
 *   1. checks its start envelope, which names the profile, and takes rootd's offer of modules;
 *   2. waits until memd has no account but its own, and those of the services that stay: what ran
 *      before it has left nothing;
 *   3. profile phase0: runs the helpers as services/probes/expectations.h states; profile hostile:
 *      all of that alongside a spinner and after a process that wants too much memory and two that
 *      compute with vector registers, and again without; as `attacks`: attacks by legal clients of
 *      procd (services/probes/attacks.h), most of them with somebody beside them who must not
 *      notice;
 *   4. stops what still runs when something went wrong;
 *   5. waits until memd's book is what it was in step 2, also when something went wrong.
 *
 * Lines: "ROOTD_STAGE:attack-<name>:HELD:free <before> <after>", pages, or HARMED, which ends the
 * run; "ROOTD_STAGE:<helper>:<end>" for each helper's end, ":UNEXPECTED" before an end that was not
 * stated; "ROOTD_STAGE:operation
 * <name>:UNEXPECTED:<status>" for a question with another answer; "ROOTD_STAGE:<helper>:<status>" for one that procd told nothing of; SPINNER_STOPPED,
 * HELPERS_DONE, ATTACKS_DONE or OPERATIONS_DONE, RESOURCES_BACK or, after TESTER_SETTLE_TICKS, RESOURCES_LEFT. (The
 * names are older than this service: rootd's log is published.)
 *
 * Its exit code is the status of the first thing that went wrong: INTERNAL, an end that was not
 * stated; TIMED_OUT, no end in the module's time; NOT_FOUND, no module offered; EXHAUSTED, the book
 * is not what it has to be after TESTER_SETTLE_TICKS; procd's, memd's or the kernel's own refusal.
 * Every wait has a deadline. */
#ifndef BASALT_SERVICES_TESTER_TESTER_H
#define BASALT_SERVICES_TESTER_TESTER_H

#include "abi/limits.h"
#include "services/lib/service.h"

enum {
    TESTER_CALL_TICKS = PROCD_CALL_TICKS, /* how long procd and memd may take to answer */
    TESTER_SETTLE_TICKS = 2000, /* how long resources may take to be back after the last helper */
    TESTER_RUN_LIMIT = 3,       /* helpers that run at the same time */
    TESTER_CLIENT_LIMIT = 2,    /* attackers that do */
    TESTER_SLOT_CHILD =
        SLOT_RECEIVE_BASE + MESSAGE_CAP_LIMIT /* a helper's endpoint and grant, for a moment */
};

/* All zero is a valid start. */
struct tester {
    struct caller caller;
    struct envelope start;
    struct startup_offer_modules_request offer;
    uint64_t helper_ids[TESTER_RUN_LIMIT]; /* of the helpers that run now; 0: none */
    uint64_t client_ids[TESTER_CLIENT_LIMIT];
};

/* All of the above but EXIT; the result is the exit code. `role`: ROLE_TESTER, ROLE_ATTACKS or
 * ROLE_TEST_OPERATOR. */
enum status tester_run(struct tester *tester, uint32_t role);

/* The programs: tester_run from an all-zero state. */
uint32_t tester_main(uint64_t argument);
uint32_t attacks_main(uint64_t argument);
uint32_t test_operator_main(uint64_t argument);

#endif
