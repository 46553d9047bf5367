/* SPDX-License-Identifier: ISC */
/* test-service, test-user, test-apart, test-last and test-driver: services that serve nothing. Each checks what it holds
 * as every service does, and denies everything; one that a test has made slow is silent before that. */
#include <string.h>

#include "abi/roles.h"
#include "abi/user_memory.h"
#include "services/lib/call_kernel.h"
#include "services/lib/call_startup.h"
#include "services/lib/service.h"
#include "services/probes/expectations.h"
#include "services/probes/layout.h"
#include "services/probes/probes.h"

enum { PEER_TICKS = TICKS_PER_SECOND };

struct test_service {
    struct caller caller;
    struct envelope envelope;
    struct receive_info info;
};

/* Takes what comes and keeps its reply, until the time is over: whoever asks hears nothing. The time
 * runs from the first that comes, since nothing else tells it. */
static void be_slow(struct test_service *service, uint64_t ticks)
{
    struct message *message = sys_message();
    uint64_t deadline_ticks = DEADLINE_NEVER;
    enum status status = STATUS_OK;
    while (status == STATUS_OK) {
        message->header = (struct message_header){.version = MESSAGE_VERSION};
        status = sys_recv(SLOT_SERVICE_ENDPOINT, message, deadline_ticks, &service->info);
        if (status == STATUS_OK && deadline_ticks == DEADLINE_NEVER)
            deadline_ticks = service->info.now_ticks + ticks;
    }
}

/* The end of a service that was launched before works: somebody is there, and denies what is not
 * asked by its administrator. */
static enum status find_peer(struct test_service *service, const struct envelope *start)
{
    struct startup_offer_modules_request offer = {.count = 0};
    if (envelope_find(start, SLOT_PEER_TEST_SERVICE) == NULL)
        return STATUS_OK;
    enum status status =
        startup_call_offer_modules(&service->caller, SLOT_PEER_TEST_SERVICE, NO_WINDOW,
                                   caller_deadline(&service->caller, PEER_TICKS), &offer, NULL);
    return status == STATUS_DENIED ? STATUS_OK : STATUS_PEER_DIED;
}

/* Control of PCI configuration space is refused a register that is none. */
static enum status ask_pci(struct test_service *service, const struct envelope *start)
{
    const struct kernel_read_pci_config_dword_request request = {.offset_bytes = 1};
    struct kernel_read_pci_config_dword_reply reply;
    if (envelope_find(start, SLOT_KERNEL_PCI_CONFIG_ENDPOINT) == NULL)
        return STATUS_OK;
    enum status status =
        kernel_call_read_pci_config_dword(&service->caller, SLOT_KERNEL_PCI_CONFIG_ENDPOINT,
                                          NO_WINDOW, DEADLINE_NEVER, &request, &reply);
    return status == STATUS_INVALID_ARGUMENT ? STATUS_OK : STATUS_INTERNAL;
}

/* What it was given works, before it says that it is READY. */
static enum status look(void *state, const struct envelope *start)
{
    enum status status = find_peer(state, start);
    return status == STATUS_OK ? ask_pci(state, start) : status;
}

static enum handled deny(void *state, struct message *message, const struct receive_info *info)
{
    (void)state;
    (void)info;
    message_refuse(message, STATUS_DENIED);
    return HANDLED_REPLY;
}

static uint32_t run(uint32_t role)
{
    struct test_service service;
    uint64_t slow_ticks = user_load64(PROBE_DATA_VA);
    memset(&service, 0, sizeof service);
    if (slow_ticks != PROBE_DATA_WORD(0))
        be_slow(&service, slow_ticks);
    enum status status =
        service_start(&service.caller, role, &service.envelope, look, NULL, &service);
    while (status == STATUS_OK)
        status = service_turn(&service.caller, SLOT_SERVICE_ENDPOINT, DEADLINE_NEVER, deny,
                              &service, &service.info);
    return (uint32_t)status;
}

uint32_t test_service_main(uint64_t argument)
{
    (void)argument;
    return run(ROLE_TEST_SERVICE);
}

uint32_t test_user_main(uint64_t argument)
{
    (void)argument;
    return run(ROLE_TEST_USER);
}

uint32_t test_apart_main(uint64_t argument)
{
    (void)argument;
    return run(ROLE_TEST_APART);
}

uint32_t test_last_main(uint64_t argument)
{
    (void)argument;
    return run(ROLE_TEST_LAST);
}

uint32_t test_driver_main(uint64_t argument)
{
    (void)argument;
    return run(ROLE_TEST_DRIVER);
}
