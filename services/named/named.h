/* SPDX-License-Identifier: ISC */
/* named: which client finds which service. The contract of the service, readable alone; the messages
 * are in abi/messages/named.def.
 *
 * An entry says: this client, by its role, may find that service, by its role, under this name, with
 * these rights. The administrator seeds all entries, then seals; from then on no entry comes, goes
 * or changes. A name belongs to its client: two clients may find different services under one name,
 * and one that has no entry for a name does not learn whether anybody else has. Entries are kept in
 * the order of (client, name), so that what was seeded first does not matter: the same set of
 * entries is the same state (N3), and a question is a binary search.
 *
 * A client holds an end of named with the badge of its role: its launcher sets that when it installs
 * it. For a role that runs before named does, as procd, and for one that another service launches, as
 * a driver, named mints such an end itself, and hands it to its administrator, which passes it on.
 *
 * After SEAL an administrator has nothing more to say: SEED_ENTRY and MINT_END are refused, SEAL
 * changes nothing, REGISTER and LOOKUP are for roles. A capability without a badge that is left over
 * finds nobody.
 *
 * What named keeps. For each entry at most one capability, in the slot NAMED_SLOT_BASE + index: the
 * service's endpoint with the badge of the entry's client, and SEND and TRANSFER, nothing more. The
 * service makes it, since it alone has RECEIVE on its endpoint and may therefore set a badge; named
 * asks the kernel (QUERY_LOCAL_CAP) for type, rights and badge of what came and refuses everything
 * else (N2): a capability without a badge would make its holder the administrator of the service,
 * one with RECEIVE would let it take the service's messages, and one with another badge would let
 * the client speak in another's name. With TRANSFER alone named could give nothing: rights only
 * shrink (K1), and the client needs SEND. Therefore named could call the services that it knows, in
 * the name of those clients to whom the entries promise them, and this is all that it could do. It
 * does not: it calls nobody but the kernel about its own cspace (E5).
 *
 * A service that died is not found: the kernel refuses to hand on a capability to an endpoint that
 * is gone, at the moment when it would be handed on. Its dead capability stays where it is until the
 * service comes again and registers anew. One that is alive is never replaced: REGISTER with another
 * endpoint is BUSY, with the same endpoint OK, so that who lost the answer asks again.
 *
 * Rules, in the order in which they are asked; a refusal changes nothing (E1).
 *
 * Every message:
 * - INVALID_ARGUMENT: not a known operation, or a body that does not decode; BAD_VERSION: of the
 *   header
 * - DENIED: a sender that the row does not allow: badge 0 is the administrator, a badge that can be
 *   a role id is that role
 *
 * SEED_ENTRY:
 * - DENIED: after SEAL
 * - INVALID_ARGUMENT: rights without SEND
 * - BAD_TEXT: the name has a byte outside [a-z0-9-]
 * - DUPLICATE: the client has an entry of that name
 * - EXHAUSTED: NAMED_ENTRY_LIMIT entries
 *
 * SEAL: never refused; again: OK, changes nothing. The reply counts the entries.
 *
 * MINT_END:
 * - DENIED: after SEAL
 * - BUSY: the administrator left no room for the capability
 *
 * REGISTER:
 * - BUSY: before SEAL
 * - BAD_TEXT: as above
 * - NOT_FOUND: no entry has exactly this name, the sender as its service, and this client
 * - INVALID_ARGUMENT: the capability is not an endpoint with exactly SEND and TRANSFER and the
 *   client's badge
 * - BUSY: the entry has another endpoint, and that one is alive
 *
 * LOOKUP:
 * - BUSY: before SEAL; or the client left no room for the capability
 * - BAD_TEXT: as above
 * - NOT_FOUND: the sender has no entry of this name; its service has not registered, or has died
 *
 * When the kernel refuses to move what came, or to say what it is, its status is the reply, and the
 * entry is as it was, or, when its capability was dead, without one. */
#ifndef BASALT_SERVICES_NAMED_NAMED_H
#define BASALT_SERVICES_NAMED_NAMED_H

#include "abi/limits.h"
#include "abi/messages/named.h"
#include "services/lib/service.h"

enum {
    /* More than one for each pair of a service and a client that the role table states: 30 services
     * with 16 clients each. */
    NAMED_ENTRY_LIMIT = 512,

    NAMED_SLOT_BASE = SLOT_DYNAMIC_BASE /* entry i: this + i */
};

_Static_assert(NAMED_SLOT_BASE + NAMED_ENTRY_LIMIT <= SLOT_LIMIT, "a slot for each entry");

/* What a registered capability carries at named. */
#define NAMED_RIGHTS ((uint32_t)(RIGHT_SEND | RIGHT_TRANSFER))

struct named_entry {
    uint32_t client_role;
    uint32_t service_role;
    uint32_t rights;             /* that the client gets */
    uint32_t is_registered;      /* its slot is not empty; the capability may be dead */
    char name[NAMED_NAME_BYTES]; /* zeros behind the name */
};

struct named {
    struct caller caller;
    uint32_t is_sealed;
    uint32_t entry_count;
    struct named_entry entries[NAMED_ENTRY_LIMIT]; /* ascending (client_role, name) */
};

/* A service_handler; `state` is a struct named. Turns the message into its reply. */
enum handled named_handle(void *state, struct message *message, const struct receive_info *info);

/* The first property of the table that does not hold ("N1", ...), or null when all do. Time linear
 * in the entries. */
const char *named_check(const struct named *named);

/* Calls `visit` with every field of the state that a later message can see, in a fixed order. */
void named_visit_fields(const struct named *named, void (*visit)(void *context, uint64_t value),
                        void *context);

/* The daemon: start-up, then the receive loop; exits when its endpoint is gone. `named` is zero. */
void named_run(struct named *named);

#endif
