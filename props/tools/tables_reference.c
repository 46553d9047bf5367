/* SPDX-License-Identifier: ISC */
/* The reference of the ABI in markdown, from the tables that the code is made from. */
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "abi/message_type.h"
#include "abi/text/print.h"
#include "abi/roles.h"
#include "abi/status.h"
#include "props/tools/tables.h"

static const char *const right_names[] = {"send",  "receive", "transfer", "read",
                                          "write", "execute", "map",      "control"};

static void put_rights(FILE *out, uint64_t rights)
{
    bool first = true;
    for (unsigned bit = 0; bit < sizeof right_names / sizeof right_names[0]; bit++) {
        if ((rights >> bit & 1) == 0)
            continue;
        fprintf(out, "%s%s", first ? "" : "+", right_names[bit]);
        first = false;
    }
    if (first)
        fprintf(out, "none");
}

static void put_types(FILE *out, uint64_t types)
{
    bool first = true;
    for (unsigned type = 0; type < OBJECT_TYPE_LIMIT; type++) {
        if ((types >> type & 1) == 0)
            continue;
        fprintf(out, "%s%s", first ? "" : " or ", object_type_name(type));
        first = false;
    }
}

static void put_number(FILE *out, uint64_t value)
{
    fprintf(out, value < 100000 ? "%" PRIu64 : "0x%" PRIX64, value);
}

static void put_constraint(FILE *out, const struct message_field *field)
{
    uint64_t max = field->width_bytes >= 8 ? UINT64_MAX : UINT32_MAX;
    switch ((enum field_kind)field->kind) {
    case FIELD_RANGE:
        if (field->low == 0 && field->high == max) {
            fprintf(out, "any");
            break;
        }
        put_number(out, field->low);
        fprintf(out, " to ");
        put_number(out, field->high);
        break;
    case FIELD_ENUM:
        fprintf(out, "0 to %" PRIu64 ", an enumeration", field->high);
        break;
    case FIELD_FLAGS:
        fprintf(out, "rights, some of ");
        put_rights(out, field->high);
        break;
    case FIELD_PAGE:
        fprintf(out, "page aligned");
        break;
    case FIELD_SLOT:
        fprintf(out, "a slot of the sender%s", field->low == 0 ? ", or 0" : "");
        break;
    case FIELD_CAP:
        fprintf(out, "a capability%s: ", field->limit == 1 ? " or 0" : "");
        put_types(out, field->low);
        fprintf(out, " with ");
        put_rights(out, field->high);
        break;
    case FIELD_ZERO:
        fprintf(out, "zero");
        break;
    case FIELD_BYTES:
        fprintf(out, "as many bytes as the field before says, at most %u", field->limit);
        break;
    case FIELD_ROWS:
        fprintf(out, "as many rows as the field before says, at most %u", field->limit);
        break;
    case FIELD_END:
        break;
    }
}

static void put_fields(FILE *out, const struct message_field *field, const char *what)
{
    if (field->kind == FIELD_END) {
        fprintf(out, "\n%s: empty.\n", what);
        return;
    }
    fprintf(out, "\n| %s | offset | type | value |\n| --- | --- | --- | --- |\n", what);
    unsigned offset = 0;
    for (; field->kind != FIELD_END; field++) {
        fprintf(out, "| %s | %u | ", field->name, offset);
        if (field->kind == FIELD_BYTES)
            fprintf(out, "bytes");
        else if (field->kind == FIELD_ROWS)
            fprintf(out, "[%s](#row-%s)", field->row->name, field->row->name);
        else
            fprintf(out, "u%u", field->width_bytes * 8u);
        if (field->entry_count > 1)
            fprintf(out, "[%u]", field->entry_count);
        fprintf(out, " | ");
        put_constraint(out, field);
        if (field->entry_count > 1)
            fprintf(out, "; any but the first may be 0");
        fprintf(out, " |\n");
        offset += field->width_bytes * (field->entry_count > 1 ? field->entry_count : 1u);
    }
}

/* Who may send it, in words. */
static void put_senders(FILE *out, const struct operation *operation)
{
    static const char *const senders[] = {
        "administrators", "the kernel",           "account holders",   "pagerd", "loaderd",
        "clients",        "(bootstrap endpoint)", "(driver endpoint)", "tester",
    };
    const char *separator = "";
    for (unsigned bit = 0; bit < 32; bit++) {
        if ((operation->allowed >> bit & 1) == 0)
            continue;
        if (operation->service == SERVICE_KERNEL)
            fprintf(out, "%s%s", separator, object_type_name(bit));
        else if (bit < sizeof senders / sizeof senders[0])
            fprintf(out, "%s%s", separator, senders[bit]);
        separator = ", ";
    }
}

static void put_operation(FILE *out, const struct operation *operation)
{
    static const char *const states[] = {"", " Always DENIED.", " Answers UNSUPPORTED for now."};
    fprintf(out, "\n### %s.%s (0x%X)\n\n", operation->service_name, operation->name, operation->id);
    fprintf(out, "%s.%s\n\n%s: ", operation->why, states[operation->state],
            operation->service == SERVICE_KERNEL ? "Accepted on" : "Sent by");
    put_senders(out, operation);
    fprintf(out, ".\n");
    put_fields(out, operation->request_fields, "request");
    put_fields(out, operation->reply_fields, "reply");
}

static void put_statuses(FILE *out)
{
    fprintf(out, "\n## Status codes\n\n| code | name | meaning |\n| --- | --- | --- |\n");
    for (unsigned i = 0; i < STATUS_COUNT; i++)
        fprintf(out, "| %u | %s | %s |\n", i, status_name(i), status_meaning(i));
}

static void put_object_types(FILE *out)
{
    fprintf(out, "\n## Object types\n\n| type | name | rights |\n| --- | --- | --- |\n");
    for (unsigned i = 0; i < OBJECT_TYPE_LIMIT; i++) {
        if (object_type_rights(i) == 0)
            continue;
        fprintf(out, "| %u | %s | ", i, object_type_name(i));
        put_rights(out, object_type_rights(i));
        fprintf(out, " |\n");
    }
}

void tables_roles(FILE *out)
{
    static const char *const presence[] = {"all",   "phase0",  "none yet", "hostile", "attacks",
                                           "graph", "console", "files",    "phase4"};
    fprintf(out, "| role | id | rank | may be in | what it decides | holds at start |\n"
                 "| --- | --- | --- | --- | --- | --- |\n");
    for (unsigned i = 0; i < role_count; i++) {
        const struct role *role = &role_table[i];
        unsigned count;
        const struct intake *intake = role_intake(role->id, &count);
        fprintf(out, "| %s | %u | %u | %s | %s |", role->image, role->id, role->rank,
                presence[role->presence], role_why(role));
        for (unsigned j = 0; j < count; j++)
            fprintf(out, "%s %s (%u)", j == 0 ? "" : ",", object_type_name(intake[j].object_type),
                    intake[j].slot);
        fprintf(out, "%s |\n", count == 0 ? " nothing more" : "");
    }
}

/* Whom roles find by named, and whom they wait for. */
static void put_peers(FILE *out)
{
    fprintf(out, "| client | service | why |\n| --- | --- | --- |\n");
    for (unsigned i = 0; i < look_up_count; i++) {
        const struct look_up *row = &look_up_table[i];
        fprintf(out, "| %s | %s | %s%s |\n", role_find(row->client)->image,
                role_find(row->service)->image, look_up_why(row),
                row->late_bound ? "; late-bound, against the rank" : "");
    }
    fprintf(out, "\n## Who waits for whom\n\nEach role is started when those behind its peer "
                 "capabilities are READY, a driver when deviced is, and:\n\n"
                 "| role | waits for | why |\n| --- | --- | --- |\n");
    for (unsigned i = 0; i < need_count; i++)
        fprintf(out, "| %s | %s | %s |\n", role_find(need_table[i].role)->image,
                role_find(need_table[i].other)->image, need_why(&need_table[i]));
}

static void put_restarts(FILE *out)
{
    static const char *const policies[] = {"never", "on fault", "always"};
    fprintf(out,
            "\n## Who is started again\n\nWhat procd does after an end that nobody ordered; of a "
            "role without a row nothing.\n\n| role | policy | delay, ticks | budget | stable "
            "after, ticks | critical | why |\n| --- | --- | --- | --- | --- | --- | --- |\n");
    for (unsigned i = 0; i < restarts_count; i++) {
        const struct restarts *row = &restarts_table[i];
        fprintf(out,
                "| %s | %s | %" PRIu64 " to %" PRIu64 " | %u in %" PRIu64 " ticks | %" PRIu64
                " | %s | %s |\n",
                role_find(row->role)->image, policies[row->policy], row->base_delay_ticks,
                row->delay_cap_ticks, row->budget_count, row->window_ticks, row->stable_after_ticks,
                row->critical ? "yes" : "no", restarts_why(row));
    }
}

static void put_interrupts(FILE *out)
{
    fprintf(out, "\n## Who may have which line of interrupts\n\nBy irqd, one role at a time.\n\n"
                 "| role | line | why |\n| --- | --- | --- |\n");
    for (unsigned i = 0; i < interrupt_count; i++)
        fprintf(out, "| %s | %u | %s |\n", role_find(interrupt_table[i].role)->image,
                interrupt_table[i].line, interrupt_why(&interrupt_table[i]));
}

/* Whether a role holds, at start, a kernel-control capability that accepts the operation. */
static bool holds_kind(const struct role *role, uint32_t kinds)
{
    unsigned count;
    const struct intake *intake = role_intake(role->id, &count);
    if ((kinds & KIND(SELF)) != 0 || role->id == ROLE_ROOTD)
        return true;
    for (unsigned i = 0; i < count; i++) {
        if ((kinds >> intake[i].object_type & 1) != 0)
            return true;
    }
    return false;
}

/* Whether the sender classes of a service's operation include a role. */
static bool in_class(const struct role *role, const struct operation *operation)
{
    uint32_t allowed = operation->allowed;
    bool administers = role->id == ROLE_ROOTD ||
                       (role->id == ROLE_PROCD && (operation->service == SERVICE_MEMD ||
                                                   operation->service == SERVICE_PAGERD));
    bool has_account = role->page_limit != 0 || role->id == ROLE_PROCD || role->id == ROLE_PAGERD ||
                       role->id == ROLE_VSPACED;
    return ((allowed & FROM_ADMIN) != 0 && administers) ||
           ((allowed & FROM_ACCOUNT) != 0 && has_account && role->kind == ROLE_KIND_FOUNDATION) ||
           ((allowed & FROM_PAGERD) != 0 && role->id == ROLE_PAGERD) ||
           ((allowed & FROM_LOADERD) != 0 && role->id == ROLE_LOADERD) ||
           ((allowed & FROM_TESTER) != 0 && role->id == ROLE_TESTER) ||
           ((allowed & FROM_DRIVER) != 0 && role->id == ROLE_DEVICED);
}

void tables_authority(FILE *out)
{
    fprintf(out, "| operation | roles that can send it |\n| --- | --- |\n");
    for (unsigned i = 0; i < operation_count; i++) {
        const struct operation *operation = &operation_table[i];
        const char *separator = " ";
        fprintf(out, "| %s.%s |", operation->service_name, operation->name);
        if (operation->state == OPERATION_DENIED) {
            fprintf(out, " nobody: always DENIED |\n");
            continue;
        }
        bool kernel = operation->service == SERVICE_KERNEL;
        if (kernel && (operation->allowed & KIND(SELF)) != 0) {
            fprintf(out, " every process, about itself |\n");
            continue;
        }
        if (!kernel && (operation->allowed & FROM_KERNEL) != 0) {
            fprintf(out, " the kernel |\n");
            continue;
        }
        for (unsigned j = 0; j < role_count; j++) {
            const struct role *role = &role_table[j];
            if (!(kernel ? holds_kind(role, operation->allowed) : in_class(role, operation)))
                continue;
            fprintf(out, "%s%s", separator, role->image);
            separator = ", ";
        }
        fprintf(out, " |\n");
    }
}

static void put_rows(FILE *out)
{
    fprintf(out, "\n## Repeated rows\n");
    for (unsigned i = 0; i < operation_count; i++) {
        for (unsigned reply = 0; reply < 2; reply++) {
            const struct message_field *field =
                reply ? operation_table[i].reply_fields : operation_table[i].request_fields;
            for (; field->kind != FIELD_END; field++) {
                if (field->kind != FIELD_ROWS)
                    continue;
                fprintf(out, "\n### row %s\n", field->row->name);
                put_fields(out, field->row->fields, "field");
            }
        }
    }
}

void tables_reference(FILE *out)
{
    fprintf(out,
            "# Reference of the ABI\n\nWritten by `./basalt reference` from the tables of this "
            "folder; do not edit.\nThe layout of header and descriptors is in "
            "`message.h`, the text form in `text/print.h`.\n");
    put_statuses(out);
    put_object_types(out);
    fprintf(out, "\n## Roles\n\n");
    tables_roles(out);
    fprintf(out, "\n## Who finds whom\n\nBy named, beyond what it holds at start.\n\n");
    put_peers(out);
    put_restarts(out);
    put_interrupts(out);
    fprintf(out,
            "\n## Who can send what\n\nBy the role table. rootd holds every kernel-control "
            "capability until READY and sheds all except the log's. procd\nadministers memd and "
            "pagerd from UPDATE_FOUNDATION_ENDPOINTS on. Accounts are held by procd, and by "
            "pagerd\nand vspaced for the processes that they serve. Clients hold procd's "
            "bootstrap endpoint only when a role row\ngives it: those of test-hostile and tester "
            "do.\n\n");
    tables_authority(out);
    enum service_id service = SERVICE_COUNT;
    for (unsigned i = 0; i < operation_count; i++) {
        if (operation_table[i].service != service)
            fprintf(out, "\n## %s\n", operation_table[i].service_name);
        service = operation_table[i].service;
        put_operation(out, &operation_table[i]);
    }
    put_rows(out);
}
