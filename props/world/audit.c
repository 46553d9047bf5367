/* SPDX-License-Identifier: ISC */
/* Compares three writings of who holds what, and two of who reaches what. Changes nothing that it sees. */
#include "props/world/audit.h"

#include <stdbool.h>
#include <string.h>

#include "abi/roles.h"
#include "abi/slots.h"
#include "kernel/core/cspace.h"
#include "props/world/world.h"
#include "services/deviced/deviced.h"
#include "services/lib/service.h"
#include "services/procd/procd.h"
#include "services/rootd/rootd.h"

enum { NODE_LIMIT = 64, STATED_LIMIT = 96 };

/* A process at READY: its index, and its role, by its program's name; or the mould of one. */
struct node {
    uint32_t index;
    const struct role *role;
    bool is_mould;
};

struct nodes {
    unsigned count;
    struct node list[NODE_LIMIT];
};

/* A slot as the table has it. A role may hold what it finds by name, and need not. */
struct stated {
    uint32_t slot;
    uint32_t type;
    uint32_t rights;
    uint64_t badge;
    uint32_t owner; /* role behind an endpoint; ROLE_NONE: not asked */
    bool needed;
    bool planned; /* rootd installs it */
    const char *why;
};

struct list {
    unsigned count;
    struct stated rows[STATED_LIMIT];
};

static void find_nodes(struct nodes *nodes)
{
    nodes->count = 0;
    for (uint32_t i = 0; i < PROCESS_LIMIT && nodes->count < NODE_LIMIT; i++) {
        const char *program = kernel_process(world_kernel(), i) == NULL ? NULL : world_program(i);
        if (program == NULL)
            continue;
        for (unsigned j = 0; j < role_count; j++) {
            if (strcmp(role_table[j].image, program) == 0)
                nodes->list[nodes->count++] = (struct node){i, &role_table[j], false};
        }
    }
}

static uint64_t token_of(uint32_t index)
{
    return kernel_process(world_kernel(), index)->event_token;
}

/* Moulds run nothing: each is known by its token, which names its process. */
static void find_moulds(const struct nodes *nodes, struct nodes *moulds)
{
    moulds->count = 0;
    for (uint32_t i = 0; i < PROCESS_LIMIT; i++) {
        if (kernel_process(world_kernel(), i) == NULL || (token_of(i) & PROCD_MOULD_ID) == 0)
            continue;
        for (unsigned j = 0; j < nodes->count && moulds->count < NODE_LIMIT; j++) {
            if (token_of(nodes->list[j].index) == (token_of(i) & ~PROCD_MOULD_ID))
                moulds->list[moulds->count++] = (struct node){i, nodes->list[j].role, true};
        }
    }
}

/* --- what is stated ---------------------------------------------------------------------------- */

static void add(struct list *list, struct stated stated)
{
    if (list->count < STATED_LIMIT)
        list->rows[list->count++] = stated;
}

/* At procd a client is a process (P10): the id is what procd told the kernel of it. */
static uint64_t badge_of(const struct node *node, uint32_t peer)
{
    if (peer == ROLE_NONE)
        return 0;
    return service_peer_badge(peer, token_of(node->index) & ~PROCD_MOULD_ID, node->role->id);
}

/* What procd was given when the foundation was bound, and rootd keeps (R6). */
static void add_bound(const struct node *node, struct list *list)
{
    if (node->role->id == ROLE_PROCD) {
        add(list, (struct stated){SLOT_PEER_MEMD, OBJECT_ENDPOINT, RIGHT_SEND, 0, ROLE_MEMD, true,
                                  false, "bound: accounts and memory of processes"});
        add(list, (struct stated){SLOT_PEER_PAGERD, OBJECT_ENDPOINT, RIGHT_SEND, 0, ROLE_PAGERD,
                                  true, false, "bound: registers processes"});
        add(list, (struct stated){SLOT_PEER_NAMED, OBJECT_ENDPOINT, RIGHT_SEND, ROLE_PROCD,
                                  ROLE_NAMED, false, false, "bound: finds logd and crashd"});
    }
    if (node->role->id == ROLE_ROOTD) {
        add(list, (struct stated){SLOT_KERNEL_LOG_ENDPOINT, OBJECT_KERNEL_LOG,
                                  RIGHT_CONTROL | RIGHT_TRANSFER, 0, ROLE_NONE, true, false,
                                  "says how the system ended"});
        add(list, (struct stated){ROOTD_SLOT_PROCD_PROCESS, OBJECT_PROCESS,
                                  RIGHT_CONTROL | RIGHT_TRANSFER, 0, ROLE_NONE, true, false,
                                  "hears of procd's end"});
    }
}

static void add_looked_up(const struct node *node, struct list *list)
{
    for (unsigned i = 0; i < look_up_count; i++) {
        const struct look_up *row = &look_up_table[i];
        if (row->client == node->role->id && role_peer_slot(row->service) != SLOT_NULL)
            add(list,
                (struct stated){role_peer_slot(row->service), OBJECT_ENDPOINT, RIGHT_SEND,
                                node->role->id, row->service, false, false, look_up_why(row)});
    }
}

static const struct rootd *rootd_state(void)
{
    return world_state(KERNEL_ROOT_PROCESS); /* it comes first in what the world keeps of rootd */
}

/* What deviced keeps for each driver that it was told of, in the order of rootd's entries: its end of
 * named, with the driver's badge, so that none can register or look up as another one (D1). */
static void add_drivers(const struct node *node, struct list *list)
{
    const struct rootd_intake *intake = &rootd_state()->intake;
    uint32_t slot = DEVICED_SLOT_BASE + DEVICED_SLOT_NAMED;
    for (uint32_t i = 0; i < intake->entry_count && node->role->id == ROLE_DEVICED; i++) {
        const struct rootd_entry *entry = &intake->entries[i];
        if (entry->kind != ENTRY_DRIVER || entry->found != STATUS_OK)
            continue;
        if (role_holds_peer(role_find(entry->role), ROLE_NAMED))
            add(list, (struct stated){slot, OBJECT_ENDPOINT, RIGHT_SEND | RIGHT_TRANSFER,
                                      entry->role, ROLE_NAMED, true, false,
                                      "seeded: what a driver finds and registers by"});
        slot += DEVICED_SLOTS_OF_DRIVER;
    }
}

static void state(const struct node *node, struct list *list)
{
    unsigned count = 0;
    const struct intake *rows = role_intake(node->role->id, &count);
    list->count = 0;
    add(list, (struct stated){SLOT_SELF, OBJECT_KERNEL_SELF, RIGHT_CONTROL, 0, ROLE_NONE, true,
                              false, "itself"});
    add(list, (struct stated){SLOT_SERVICE_ENDPOINT, OBJECT_ENDPOINT, RIGHTS_SERVICE_ENDPOINT, 0,
                              node->is_mould ? (uint32_t)ROLE_NONE : node->role->id, true, false,
                              "its own endpoint"});
    for (unsigned i = 0; i < count; i++) {
        uint32_t peer = service_peer_role(rows[i].slot, rows[i].object_type, rows[i].rights);
        if (node->role->id == ROLE_PROCD && rows[i].slot == SLOT_BOOTSTRAP_UNTYPED)
            continue; /* dropped at UPDATE_FOUNDATION_ENDPOINTS */
        add(list,
            (struct stated){rows[i].slot, rows[i].object_type, rows[i].rights, badge_of(node, peer),
                            rows[i].object_type == OBJECT_ENDPOINT ? slot_peer_role(rows[i].slot)
                                                                   : ROLE_NONE,
                            true, true, intake_why(&rows[i])});
    }
    if (node->is_mould) /* what a life starts with, and nothing that it finds (P4) */
        return;
    add_bound(node, list);
    add_drivers(node, list);
    add_looked_up(node, list);
}

static const struct stated *stated_at(const struct list *list, uint32_t slot)
{
    for (unsigned i = 0; i < list->count; i++) {
        if (list->rows[i].slot == slot)
            return &list->rows[i];
    }
    return NULL;
}

/* What a service's work is made of, in slots of its own: no right beyond these. */
static const struct {
    uint32_t role;
    uint32_t type;
    uint32_t rights;
    uint32_t owner; /* role behind an endpoint */
    const char *why;
} work[] = {
    {ROLE_MEMD, OBJECT_UNTYPED, RIGHT_CONTROL | RIGHT_TRANSFER, ROLE_NONE, "handed out"},
    {ROLE_MEMD, OBJECT_FRAME, RIGHTS_ALL, ROLE_NONE, "handed out"},
    {ROLE_VSPACED, OBJECT_VSPACE, RIGHT_MAP, ROLE_NONE, "a registered space"},
    {ROLE_VSPACED, OBJECT_ENDPOINT, RIGHT_SEND, ROLE_MEMD, "the account of a space"},
    {ROLE_PAGERD, OBJECT_ENDPOINT, RIGHT_SEND | RIGHT_TRANSFER, ROLE_MEMD,
     "the account of a process"},
    {ROLE_PROCD, OBJECT_PROCESS, RIGHT_CONTROL | RIGHT_TRANSFER, ROLE_NONE, "a process"},
    {ROLE_PROCD, OBJECT_ENDPOINT, RIGHT_SEND, ROLE_LOADERD, "tells it that a program has ended"},
};

static uint32_t owner_role(const struct nodes *nodes, const struct capability *cap)
{
    if (cap->object_type != OBJECT_ENDPOINT || !kernel_capability_live(world_kernel(), cap))
        return ROLE_NONE; /* a dead end is nobody's, whoever has its place now (K3) */
    if (cap->object == KERNEL_DRIVER_ENDPOINT)
        return ROLE_PROCD;
    for (unsigned i = 0; i < nodes->count; i++) {
        if (nodes->list[i].index == cap->object)
            return nodes->list[i].role->id;
    }
    return ROLE_NONE;
}

/* named keeps each row's end with the client's badge (N2), and the client it, if no slot is for it. */
static const char *looked_up_why(const struct capability *cap, uint32_t owner, uint32_t rights)
{
    for (unsigned i = 0; i < look_up_count; i++) {
        if (look_up_table[i].service == owner && look_up_table[i].client == cap->badge &&
            cap->object_type == OBJECT_ENDPOINT && (cap->rights & ~rights) == 0)
            return look_up_why(&look_up_table[i]);
    }
    return NULL;
}

/* Why a capability of no stated slot may be there; null: it may not. */
static const char *work_why(const struct nodes *nodes, const struct node *node, uint32_t slot,
                            const struct capability *cap)
{
    uint32_t owner = owner_role(nodes, cap);
    if (node->is_mould)
        return NULL;
    if (slot >= SLOT_REPLY_BASE && slot < SLOT_REPLY_BASE + SLOT_REPLY_COUNT)
        return cap->object_type == OBJECT_REPLY ? "somebody waits" : NULL;
    if (slot < SLOT_DYNAMIC_BASE)
        return NULL;
    if (node->role->id == ROLE_NAMED)
        return looked_up_why(cap, owner, RIGHT_SEND | RIGHT_TRANSFER);
    if (cap->badge == node->role->id && role_peer_slot(owner) == SLOT_NULL)
        return looked_up_why(cap, owner, RIGHT_SEND);
    for (unsigned i = 0; i < sizeof work / sizeof work[0]; i++) {
        if (work[i].role == node->role->id && work[i].type == cap->object_type &&
            (cap->rights & ~work[i].rights) == 0 && work[i].owner == owner)
            return work[i].why;
    }
    return NULL;
}

/* --- slots ---------------------------------------------------------------------------------------- */

/* The first slot from there on that holds something; SLOT_LIMIT: none. */
static uint32_t next_slot(const struct node *node, uint32_t slot)
{
    const struct process *process = kernel_process(world_kernel(), node->index);
    while (slot < SLOT_LIMIT) {
        uint32_t leaf = cspace_leaf_next(process, slot / CSPACE_LEAF_CAPS);
        if (leaf > slot / CSPACE_LEAF_CAPS)
            slot = leaf >= SLOT_LIMIT / CSPACE_LEAF_CAPS ? SLOT_LIMIT : leaf * CSPACE_LEAF_CAPS;
        if (slot < SLOT_LIMIT &&
            kernel_slot(world_kernel(), node->index, slot)->object_type != OBJECT_NONE)
            return slot;
        slot++;
    }
    return SLOT_LIMIT;
}

static const struct capability *cap_at(const struct node *node, uint32_t slot)
{
    return kernel_slot(world_kernel(), node->index, slot);
}

static const char *mould(const struct node *node)
{
    return node->is_mould ? "'s mould" : "";
}

static unsigned say(FILE *out, const struct node *node, uint32_t slot, const char *what,
                    uint64_t is, uint64_t should)
{
    fprintf(out, "%s%s slot %u: %s 0x%llx, stated 0x%llx\n", node->role->image, mould(node), slot,
            what, (unsigned long long)is, (unsigned long long)should);
    return 1;
}

static unsigned compare_cap(FILE *out, const struct nodes *nodes, const struct node *node,
                            const struct stated *row)
{
    const struct capability *cap = cap_at(node, row->slot);
    unsigned found = 0;
    if (cap->object_type == OBJECT_NONE) {
        if (row->needed)
            fprintf(out, "%s%s slot %u: missing, stated %s with rights 0x%x\n", node->role->image,
                    mould(node), row->slot, object_type_name(row->type), row->rights);
        return row->needed;
    }
    if (cap->object_type != row->type)
        found += say(out, node, row->slot, "type", cap->object_type, row->type);
    if (cap->rights != row->rights)
        found += say(out, node, row->slot, "rights", cap->rights, row->rights);
    if (cap->badge != row->badge)
        found += say(out, node, row->slot, "badge", cap->badge, row->badge);
    if (row->owner != ROLE_NONE && owner_role(nodes, cap) != row->owner)
        found += say(out, node, row->slot, "end of role", owner_role(nodes, cap), row->owner);
    return found;
}

static unsigned compare_cspace(FILE *out, const struct nodes *nodes, const struct node *node)
{
    struct list list;
    unsigned found = 0;
    state(node, &list);
    for (unsigned i = 0; i < list.count; i++)
        found += compare_cap(out, nodes, node, &list.rows[i]);
    for (uint32_t slot = next_slot(node, 0); slot < SLOT_LIMIT; slot = next_slot(node, slot + 1)) {
        const struct capability *cap = cap_at(node, slot);
        if (stated_at(&list, slot) != NULL || work_why(nodes, node, slot, cap) != NULL)
            continue;
        if (!kernel_capability_live(world_kernel(), cap))
            continue; /* what is left of a service that has ended: nobody is behind it */
        fprintf(out, "%s%s slot %u: extra, %s with rights 0x%x\n", node->role->image, mould(node),
                slot, object_type_name(cap->object_type), cap->rights);
        found++;
    }
    return found;
}

/* --- the plan --------------------------------------------------------------------------------------- */

/* Each launch installs its role's rows and nothing else, whether its process still lives or not. */
static unsigned compare_launch(FILE *out, const struct plan_launch *launch)
{
    unsigned count = 0;
    unsigned found = 0;
    const struct role *role = role_find(launch->role);
    const struct intake *rows = role_intake(launch->role, &count);
    for (unsigned i = 0; i < count || i < launch->install_count; i++) {
        const struct plan_install *install = &launch->installs[i];
        uint32_t peer = i < count
                            ? service_peer_role(rows[i].slot, rows[i].object_type, rows[i].rights)
                            : ROLE_NONE;
        bool same = i < count && i < launch->install_count &&
                    install->target_slot == rows[i].slot && install->rights == rows[i].rights &&
                    install->badge == (peer == ROLE_NONE ? 0 : launch->role);
        if (!same)
            fprintf(out, "%s slot %u: the plan installs slot %u with rights 0x%x\n", role->image,
                    i < count ? rows[i].slot : 0,
                    i < launch->install_count ? install->target_slot : 0,
                    i < launch->install_count ? install->rights : 0);
        found += !same;
    }
    return found;
}

static unsigned compare_plan(FILE *out)
{
    const struct rootd_plan *plan = &rootd_state()->plan;
    unsigned found = 0;
    for (uint32_t i = 0; i < plan->launch_count; i++)
        found += compare_launch(out, &plan->launches[i]);
    return found;
}

/* --- who reaches what ------------------------------------------------------------------------------ */

/* By node: whom it can ask, which types of objects it holds, and which it may hand on. */
struct reach {
    uint64_t asks[NODE_LIMIT];
    uint32_t holds[NODE_LIMIT];
    uint32_t gives[NODE_LIMIT];
};

static void reach_add(struct reach *reach, const struct nodes *nodes, unsigned at, uint32_t type,
                      uint32_t rights, uint32_t owner)
{
    for (unsigned i = 0; i < nodes->count; i++) {
        if (i != at && type == OBJECT_ENDPOINT && (rights & RIGHT_SEND) != 0 &&
            nodes->list[i].role->id == owner)
            reach->asks[at] |= UINT64_C(1) << i;
    }
    if (type == OBJECT_ENDPOINT || type == OBJECT_KERNEL_SELF || type == OBJECT_REPLY)
        return;
    reach->holds[at] |= 1u << type;
    if ((rights & RIGHT_TRANSFER) != 0)
        reach->gives[at] |= 1u << type;
}

static void reach_stated(struct reach *reach, const struct nodes *nodes, unsigned at)
{
    struct list list;
    state(&nodes->list[at], &list);
    for (unsigned i = 0; i < list.count; i++)
        reach_add(reach, nodes, at, list.rows[i].type, list.rows[i].rights, list.rows[i].owner);
    for (unsigned i = 0; i < sizeof work / sizeof work[0]; i++) {
        if (work[i].role == nodes->list[at].role->id)
            reach_add(reach, nodes, at, work[i].type, work[i].rights, work[i].owner);
    }
    uint32_t role = nodes->list[at].role->id;
    for (unsigned i = 0; i < look_up_count; i++)
        if (role == ROLE_NAMED || role == look_up_table[i].client)
            reach_add(reach, nodes, at, OBJECT_ENDPOINT, RIGHT_SEND, look_up_table[i].service);
}

static void reach_real(struct reach *reach, const struct nodes *nodes, unsigned at)
{
    const struct node *node = &nodes->list[at];
    for (uint32_t slot = next_slot(node, 0); slot < SLOT_LIMIT; slot = next_slot(node, slot + 1)) {
        const struct capability *cap = cap_at(node, slot);
        reach_add(reach, nodes, at, cap->object_type, cap->rights, owner_role(nodes, cap));
    }
}

/* Whoever asks has used what the other one may use; what may be handed on goes with a request or its reply,
 * and on from there. */
static void reach_close(struct reach *reach, unsigned count)
{
    for (bool changed = true; changed;) {
        changed = false;
        for (unsigned i = 0; i < count; i++) {
            for (unsigned j = 0; j < count; j++) {
                bool asks = (reach->asks[i] >> j & 1) != 0;
                bool asked = (reach->asks[j] >> i & 1) != 0;
                uint32_t gives = reach->gives[i] | (asks || asked ? reach->gives[j] : 0);
                uint32_t holds = reach->holds[i] | gives | (asks ? reach->holds[j] : 0);
                changed |= gives != reach->gives[i] || holds != reach->holds[i];
                reach->gives[i] = gives;
                reach->holds[i] = holds;
            }
        }
    }
}

static void reach_make(struct reach *reach, const struct nodes *nodes,
                       void (*of)(struct reach *, const struct nodes *, unsigned))
{
    memset(reach, 0, sizeof *reach);
    for (unsigned i = 0; i < nodes->count; i++)
        of(reach, nodes, i);
    reach_close(reach, nodes->count);
}

static unsigned compare_reach(FILE *out, const struct nodes *nodes)
{
    struct reach real, stated;
    unsigned found = 0;
    reach_make(&real, nodes, reach_real);
    reach_make(&stated, nodes, reach_stated);
    for (unsigned i = 0; i < nodes->count; i++) {
        for (unsigned type = 1; type < OBJECT_TYPE_LIMIT; type++) {
            if ((real.holds[i] & ~stated.holds[i] & 1u << type) == 0)
                continue;
            fprintf(out, "%s reaches %s: a path that the table does not state\n",
                    nodes->list[i].role->image, object_type_name(type));
            found++;
        }
    }
    return found;
}

/* --- lines of interrupts -------------------------------------------------------------------------- */

/* Whom the kernel tells of a line, by no capability of theirs: irqd bound it to their endpoint. Null:
 * nobody that lives. */
static const struct role *line_role(const struct nodes *nodes, uint32_t line)
{
    uint32_t endpoint = world_kernel()->interrupts[line].endpoint;
    for (unsigned i = 0; i < nodes->count && endpoint != KERNEL_NONE; i++) {
        if (nodes->list[i].index == endpoint)
            return nodes->list[i].role;
    }
    return NULL;
}

/* The row of a line for a role; null: it may not have it. */
static const struct interrupt_row *line_row(uint32_t line, const struct role *role)
{
    for (unsigned i = 0; i < interrupt_count && role != NULL; i++) {
        if (interrupt_table[i].line == line && interrupt_table[i].role == role->id)
            return &interrupt_table[i];
    }
    return NULL;
}

/* Each line that is bound has a row of that role, and a driver that runs has its lines (D3). */
static unsigned compare_lines(FILE *out, const struct nodes *nodes)
{
    unsigned found = 0;
    for (uint32_t line = 0; line < INTERRUPT_LINE_COUNT; line++) {
        const struct role *role = line_role(nodes, line);
        bool bound = world_kernel()->interrupts[line].endpoint != KERNEL_NONE;
        if (!bound || line_row(line, role) != NULL)
            continue;
        fprintf(out, "%s line %u: extra, the kernel tells it of interrupts\n",
                role == NULL ? "nobody" : role->image, line);
        found++;
    }
    for (unsigned i = 0; i < interrupt_count; i++) {
        const struct interrupt_row *row = &interrupt_table[i];
        for (unsigned j = 0; j < nodes->count; j++) {
            const struct role *role = nodes->list[j].role;
            if (role->id != row->role || role->kind != ROLE_KIND_DRIVER ||
                line_role(nodes, row->line) == role)
                continue;
            fprintf(out, "%s line %u: missing, stated %s\n", role->image, row->line,
                    interrupt_why(row));
            found++;
        }
    }
    return found;
}

/* --- the interface ----------------------------------------------------------------------------------- */

unsigned audit_findings(FILE *out)
{
    struct nodes nodes;
    struct nodes moulds;
    unsigned found = compare_plan(out);
    find_nodes(&nodes);
    if (nodes.count == 0) {
        fprintf(out, "nobody runs\n");
        found++;
    }
    for (unsigned i = 0; i < nodes.count; i++)
        found += compare_cspace(out, &nodes, &nodes.list[i]);
    find_moulds(&nodes, &moulds);
    for (unsigned i = 0; i < moulds.count; i++)
        found += compare_cspace(out, &nodes, &moulds.list[i]);
    return found + compare_lines(out, &nodes) + compare_reach(out, &nodes);
}

static void print_node(FILE *out, const struct nodes *nodes, const struct node *node,
                       uint32_t reached)
{
    struct list list;
    state(node, &list);
    fprintf(out, "%s\n", node->role->image);
    for (uint32_t slot = next_slot(node, 0); slot < SLOT_LIMIT; slot = next_slot(node, slot + 1)) {
        const struct capability *cap = cap_at(node, slot);
        const struct stated *row = stated_at(&list, slot);
        const char *why = row != NULL ? row->why : work_why(nodes, node, slot, cap);
        const struct role *owner = role_find(owner_role(nodes, cap));
        fprintf(out, "  %7u  %-20s 0x%03x  %-10s 0x%-8llx %s\n", slot,
                object_type_name(cap->object_type), cap->rights, owner == NULL ? "" : owner->image,
                (unsigned long long)cap->badge, why == NULL ? "NOT STATED" : why);
    }
    fprintf(out, "  reaches:");
    for (unsigned type = 1; type < OBJECT_TYPE_LIMIT; type++) {
        if ((reached >> type & 1) != 0)
            fprintf(out, " %s", object_type_name(type));
    }
    fprintf(out, "\n\n");
}

void audit_print(FILE *out)
{
    struct nodes nodes;
    struct reach reach;
    find_nodes(&nodes);
    reach_make(&reach, &nodes, reach_real);
    for (unsigned i = 0; i < nodes.count; i++)
        print_node(out, &nodes, &nodes.list[i], reach.holds[i]);
    for (uint32_t line = 0; line < INTERRUPT_LINE_COUNT; line++) {
        const struct role *role = line_role(&nodes, line);
        const struct interrupt_row *row = line_row(line, role);
        if (role != NULL)
            fprintf(out, "line %u: %s, %s\n", line, role->image,
                    row == NULL ? "NOT STATED" : interrupt_why(row));
    }
}

void audit_dot(FILE *out)
{
    struct nodes nodes;
    find_nodes(&nodes);
    fprintf(out, "digraph authority {\n");
    for (unsigned i = 0; i < nodes.count; i++) {
        const struct node *node = &nodes.list[i];
        fprintf(out, "  \"%s\" [shape=box];\n", node->role->image);
        for (uint32_t slot = next_slot(node, SLOT_SERVICE_ENDPOINT + 1); slot < SLOT_LIMIT;
             slot = next_slot(node, slot + 1)) {
            const struct capability *cap = cap_at(node, slot);
            const struct role *owner = role_find(owner_role(&nodes, cap));
            if (slot >= SLOT_DYNAMIC_BASE && cap->object_type != OBJECT_ENDPOINT)
                continue; /* what its work is made of: pages and processes by the thousand */
            fprintf(out, "  \"%s\" -> \"%s\" [label=\"%u 0x%x\"];\n", node->role->image,
                    owner == NULL ? object_type_name(cap->object_type) : owner->image, slot,
                    cap->rights);
        }
    }
    for (uint32_t line = 0; line < INTERRUPT_LINE_COUNT; line++) {
        const struct role *role = line_role(&nodes, line);
        if (role != NULL)
            fprintf(out, "  \"line %u\" -> \"%s\" [label=\"interrupts\"];\n", line, role->image);
    }
    fprintf(out, "}\n");
}
