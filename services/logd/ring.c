/* SPDX-License-Identifier: ISC */
/* The ring: which record makes room for a new one, and where the next record of a reader is.
 * Decides by how many records clients have, never by what they say (L2). */
#include "services/logd/internal.h"

#include <stddef.h>

/* Ids complemented, so that the next record from an id on is the floor of a key. */
static uint64_t key_of(uint64_t id)
{
    return ~id;
}

static uint64_t oldest_id(const struct logd *logd, const struct logd_client *client)
{
    return client->first == 0 ? UINT64_MAX : logd->records[client->first - 1].id;
}

/* The client that loses a record when `sender` brings one more: the one with the most; of several
 * the sender, or the one with the oldest record. A sender that has none yet loses none. */
static uint32_t victim(const struct logd *logd, uint32_t sender)
{
    uint32_t found = sender;
    uint32_t most = logd->clients[sender].count == 0 ? 0 : logd->clients[sender].count + 1;
    for (uint32_t i = 0; i < LOGD_CLIENT_LIMIT; i++) {
        const struct logd_client *client = &logd->clients[i];
        bool older = found != sender && client->count == most &&
                     oldest_id(logd, client) < oldest_id(logd, &logd->clients[found]);
        if (client->count > most || older) {
            found = i;
            most = client->count;
        }
    }
    return found; /* a full ring has records, so that somebody has one */
}

/* Takes the oldest record of a client out of the log: its place. */
static logd_link place_vacate(struct logd *logd, uint32_t client_index)
{
    struct logd_client *client = &logd->clients[client_index];
    logd_link place = client->first;
    UNIT_ASSERT(place != 0 && client->count != 0);
    index_remove(&logd->id_root, logd->id_nodes, place);
    client->first = logd->records[place - 1].next;
    client->last = client->first == 0 ? 0 : client->last;
    client->count--;
    return place;
}

struct logd_record *logd_ring_add(struct logd *logd, uint32_t client_index)
{
    struct logd_client *client = &logd->clients[client_index];
    bool full = logd->record_count == logd->record_limit;
    logd_link place = full ? place_vacate(logd, victim(logd, client_index)) : ++logd->record_count;
    struct logd_record *record = &logd->records[place - 1];
    UNIT_ASSERT(logd->last_id != UINT64_MAX);
    *record = (struct logd_record){.id = ++logd->last_id, .client = client_index};
    index_add(&logd->id_root, logd->id_nodes, place, key_of(record->id));
    if (client->last == 0)
        client->first = place;
    else
        logd->records[client->last - 1].next = place;
    client->last = place;
    client->count++;
    return record;
}

const struct logd_record *logd_ring_from(const struct logd *logd, uint64_t id)
{
    logd_link place = index_floor(logd->id_root, logd->id_nodes, key_of(id));
    return place == 0 ? NULL : &logd->records[place - 1];
}
