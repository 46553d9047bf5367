/* SPDX-License-Identifier: ISC */
/* What ramfsd's files share: the request in hand, the tree (tree.c), pages (pages.c) and accounts
 * (accounts.c). What is asked of those may refuse and changes nothing; what they do cannot fail. */
#ifndef BASALT_SERVICES_RAMFSD_INTERNAL_H
#define BASALT_SERVICES_RAMFSD_INTERNAL_H

#include "abi/assert.h"
#include "services/lib/dispatch.h"
#include "services/ramfsd/ramfsd.h"

/* --- one function for each LIVE row: entries.c what has a name, ramfsd.c the rest --- */
#define SERVICE       ramfsd
#define SERVICE_TABLE "abi/messages/ramfsd.def"
#include "services/lib/unfold.h"

struct ramfsd_request {
    struct service_request common;
    union ramfsd_body body;
    union ramfsd_reply reply;
};

/* A name in a directory, as a message says it. */
struct ramfsd_name {
    const uint8_t *bytes;
    uint32_t count;
};

/* What a node is, as a reply: that of LOOKUP, STAT, CREATE and SYMLINK. */
void ramfsd_attributes(const struct ramfsd *ramfsd, uint32_t place, union ramfsd_reply *reply);

/* --- tree.c --- */

/* A place of a table that is in use from now on: the one that became free last, behind which
 * `next_of_first_free` is the first, or the next that was never used. There is one. */
uint32_t ramfsd_take_place(struct ramfsd_table *table, uint32_t next_of_first_free);

uint64_t ramfsd_number(const struct ramfsd *ramfsd, uint32_t place);

/* The place of a node; NOT_FOUND: it is not there any more, or never was. */
enum status ramfsd_find(const struct ramfsd *ramfsd, uint64_t number, uint32_t *place);

/* The same of one that must be a directory: NOT_DIRECTORY. */
enum status ramfsd_find_directory(const struct ramfsd *ramfsd, uint64_t number, uint32_t *place);

/* Whether it is in the tree: the root, or under a name. */
bool ramfsd_is_linked(const struct ramfsd *ramfsd, uint32_t place);

/* The entry of a directory with that name; 0: it has none. */
uint32_t ramfsd_entry(const struct ramfsd *ramfsd, uint32_t directory, struct ramfsd_name name);

/* The first entry of a directory whose place is at least `from`; 0: there is none. */
uint32_t ramfsd_entry_from(const struct ramfsd *ramfsd, uint32_t directory, uint64_t from);

/* Whether a directory is `place` or lies below it. */
bool ramfsd_is_below(const struct ramfsd *ramfsd, uint32_t directory, uint32_t place);

/* How many nodes with names lie before (directory, name). */
uint32_t ramfsd_order_place(const struct ramfsd *ramfsd, uint32_t directory,
                            struct ramfsd_name name);

/* A new node without a name, on an account that admitted it. */
uint32_t ramfsd_node_add(struct ramfsd *ramfsd, uint64_t account, uint32_t kind, uint32_t mode);

/* Gives a node without a name one in a directory that has no such entry; takes it away again.
 * Neither changes the directory's version. */
void ramfsd_link(struct ramfsd *ramfsd, uint32_t place, uint32_t directory,
                 struct ramfsd_name name);
void ramfsd_unlink_node(struct ramfsd *ramfsd, uint32_t place);

/* Ends a node that has neither a name nor an open: its pages and its place are free. */
void ramfsd_node_release(struct ramfsd *ramfsd, uint32_t place);

/* Bytes, size or entries changed. */
void ramfsd_changed(struct ramfsd *ramfsd, uint32_t place);

/* --- pages.c --- */

/* How many pages a write of so many bytes needs besides those that the file has. */
uint32_t ramfsd_pages_missing(const struct ramfsd *ramfsd, uint32_t place, uint64_t offset_bytes,
                              uint32_t count);

/* Bytes of a node's pages, zeros where it has none. */
void ramfsd_pages_read(const struct ramfsd *ramfsd, uint32_t place, uint64_t offset_bytes,
                       uint8_t *bytes, uint32_t count);

/* Writes them; missing pages are charged to an account that admitted them. */
void ramfsd_pages_write(struct ramfsd *ramfsd, uint32_t place, uint64_t account,
                        uint64_t offset_bytes, const uint8_t *bytes, uint32_t count);

/* Gives back what lies behind `size_bytes`, and clears the rest of the page there. */
void ramfsd_pages_cut(struct ramfsd *ramfsd, uint32_t place, uint64_t size_bytes);

/* --- accounts.c --- */

/* Whether an account may have so many more pages and nodes: OK, OVER_LIMIT, EXHAUSTED (F4). */
enum status ramfsd_account_admits(const struct ramfsd *ramfsd, uint64_t id, uint32_t pages,
                                  uint32_t nodes);

/* Takes one more page or node on it: its place, the same as long as it has any. */
uint32_t ramfsd_account_charge(struct ramfsd *ramfsd, uint64_t id, uint32_t pages, uint32_t nodes);

/* Gives them back; an account that has nothing any more is gone. */
void ramfsd_account_return(struct ramfsd *ramfsd, uint32_t account, uint32_t pages, uint32_t nodes);

#endif
