/* SPDX-License-Identifier: ISC */
/* An input of the two harnesses that take turns: a service among peers that lie, until its endpoint is
 * gone. */
#include "fuzz/adversary/services.h"
#include "props/stand_ins/adversary.h"

enum { TURN_LIMIT = 200 };

static bool is_no_end(enum status status)
{
    return status != STATUS_NOT_FOUND;
}

static bool names_none(uint32_t slot)
{
    (void)slot;
    return false;
}

static bool prelude_call(uint32_t slot, struct message *message)
{
    (void)slot;
    return services_prelude_call(message);
}

void services_adversary(struct choices *choices, bool windows)
{
    const struct subject *subject = services_choose(choices);
    uint64_t now_ticks = 0;
    struct adversary_plan plan = {.service = subject->service,
                                  .answer = services_answer,
                                  .request = services_request,
                                  .replied = services_learn,
                                  .windows = windows,
                                  .scripted_call = prelude_call,
                                  .scripted_receive = services_prelude_receive,
                                  .names = subject->names == NULL ? names_none : subject->names,
                                  .calls_max = subject->calls_max};
    services_requests_begin(subject->service, windows && choices_below(choices, 4) != 3);
    adversary_begin(choices, &plan);
    services_reset(subject);
    services_start(subject);
    for (unsigned i = 0; i < TURN_LIMIT; i++) {
        bool looks = oracle_step();
        enum status status = services_turn(subject, &now_ticks, is_no_end);
        if (looks)
            services_check(subject, windows);
        digest_u64(status);
        if (status == STATUS_NOT_FOUND)
            break;
    }
    if (oracle_deferred())
        services_check(subject, windows);
    digest_u64(adversary_owed_count());
    digest_u64(adversary_counts().calls);
    if (subject->digest != NULL)
        subject->digest();
    services_end(subject);
}
