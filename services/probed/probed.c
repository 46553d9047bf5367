/* SPDX-License-Identifier: ISC */
/* What probed says of what the walk finds. Decides nothing but the text. */
#include "services/probed/probed.h"

#include <stddef.h>
#include <string.h>

#include "abi/roles.h"
#include "services/lib/call_logd.h"
#include "services/lib/discovery.h"
#include "services/lib/log_line.h"

static void add_hex(struct log_line *line, uint32_t value, unsigned digits)
{
    char text[9] = {0};
    for (unsigned i = 0; i < digits; i++)
        text[i] = "0123456789abcdef"[value >> 4 * (digits - 1 - i) & 15];
    log_line_add(line, text);
}

/* One line for logd, which is looked up when it did not take the last one. */
static void tell(struct probed *probed, const struct log_line *line)
{
    struct logd_append_request request = {.severity = LOG_SEVERITY_NOTICE, .count = line->count};
    struct logd_append_reply reply;
    memcpy(request.text, line->text, line->count);
    if (probed->has_log == 0 &&
        discovery_find(&probed->caller, ROLE_LOGD, SLOT_PEER_LOGD) != STATUS_OK)
        return;
    probed->has_log = logd_call_append(&probed->caller, SLOT_PEER_LOGD, NO_WINDOW,
                                       caller_deadline(&probed->caller, PROBED_CALL_TICKS),
                                       &request, &reply) == STATUS_OK;
}

static void tell_function(struct probed *probed, const struct pci_function *found)
{
    struct log_line line = {.count = 0};
    log_line_add(&line, "pci ");
    add_hex(&line, found->bus, 2);
    log_line_add(&line, ":");
    add_hex(&line, found->device, 2);
    log_line_add(&line, ".");
    add_hex(&line, found->function, 1);
    log_line_add(&line, " ");
    add_hex(&line, found->id & UINT16_MAX, 4);
    log_line_add(&line, ":");
    add_hex(&line, found->id >> 16, 4);
    log_line_add(&line, " class ");
    add_hex(&line, found->class >> 8, 6);
    tell(probed, &line);
}

static void tell_end(struct probed *probed, enum status status)
{
    struct log_line line = {.count = 0};
    log_line_add(&line, status == STATUS_OK ? "pci: " : "pci: unreadable after ");
    log_line_add_number(&line, probed->function_count);
    log_line_add(&line, " functions");
    if (probed->function_count > PROBED_LINES_MAX) {
        log_line_add(&line, ", ");
        log_line_add_number(&line, probed->function_count - PROBED_LINES_MAX);
        log_line_add(&line, " not listed");
    }
    tell(probed, &line);
}

enum status probed_list(struct probed *probed)
{
    struct pci_walk *walk = &probed->walk;
    struct pci_function found;
    enum status status = STATUS_OK;
    pci_walk_begin(walk);
    while (pci_walk_goes_on(walk)) {
        const struct pci_function *at = &walk->at;
        uint32_t value;
        status =
            kernel_read_pci_config_dword(&probed->caller, SLOT_KERNEL_PCI_CONFIG_ENDPOINT, at->bus,
                                         at->device, at->function, walk->offset_bytes, &value);
        if (status != STATUS_OK)
            break;
        if (!pci_walk_take(walk, value, &found))
            continue;
        if (++probed->function_count <= PROBED_LINES_MAX)
            tell_function(probed, &found);
    }
    tell_end(probed, status);
    return status;
}

/* --- the daemon ------------------------------------------------------------------------------ */

enum handled probed_handle(void *state, struct message *message, const struct receive_info *info)
{
    (void)state;
    if (info->reply_slot == SLOT_NULL)
        return HANDLED_LATER;
    message_refuse(message, STATUS_INVALID_ARGUMENT);
    return HANDLED_REPLY;
}

void probed_run(struct probed *probed)
{
    struct envelope envelope;
    enum status status = service_start(&probed->caller, ROLE_PROBED, &envelope, NULL, NULL, NULL);
    if (status == STATUS_OK)
        (void)probed_list(probed);
    service_serve(&probed->caller, status, probed_handle, probed);
}
