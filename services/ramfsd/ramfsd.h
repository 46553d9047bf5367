/* SPDX-License-Identifier: ISC */
/* ramfsd: a tree of files in memory. The contract of the service, readable alone; the messages are
 * in abi/messages/ramfsd.def.
 *
 * A node is a file, a directory or a symbolic link. Its number is generation << RAMFSD_PLACE_BITS |
 * place; the generation of a place grows with each node that is there, so that the number of a node
 * that is gone is never another one's (F2). A new one gets the place that became free last, or else
 * the next that was never used: the same messages give the same numbers. A node has one name in one
 * directory, and none when it was unlinked: there are no hard links. The root has place
 * RAMFSD_ROOT_PLACE, no name, and always exists. Who may do what, what a path is and where a link
 * leads are its client's business: vfsd's.
 *
 * Files. What was never written reads as zero, and costs nothing: a file has a page for each page
 * of it that was written and not cut off again. What is cut off is gone: when the file is
 * lengthened again, zeros are there (F3). Offsets and sizes are at most FILE_BYTES_MAX. A link's
 * target has one page.
 *
 * version grows by one with each change of a file's bytes or size, and of a directory's entries;
 * modified_ticks is the time of that change, or what SET_METADATA says; accessed_ticks is that of
 * the last READ of bytes, READLINK, or what SET_METADATA says. size_bytes is of a directory the
 * number of its entries, of a link the length of its target. link_count is 0 once a node was
 * unlinked.
 *
 * Sources. "ram" begins with an empty root of mode 01777 and can be changed. "archive" is the tree
 * of an archive (abi/formats/archive.h), of which each entry comes behind the directory that it
 * lies in; its files' bytes stay where they are. It cannot be changed, not even a time: all of them
 * are 0, since the kernel's clock knows nothing of its dates. Its nodes have version 1, owner 0 and
 * the archive's modes.
 *
 * READDIR gives the entries of a directory in the order of their places: the first whose place is
 * at least the cursor. An entry keeps its place as long as it is there, whatever it is called.
 * Therefore who begins at 0 and goes on with each next_cursor is given every entry that is there
 * all the while exactly once; one that comes or goes meanwhile, or that is moved in from another
 * directory, at most once (F5).
 *
 * Memory. All of it is given at the start, one page and one node for each RAMFSD_BYTES_PER_PAGE,
 * and stays ramfsd's: a page that a file gives back is zeroed and is there for the next file, a
 * page that was never used is not touched, so that what backs it on demand gives no more than the
 * most that was in use at one time.
 *
 * Accounts. Whoever creates pays for the node, and who writes first to a page of a file for that
 * page, until it goes. An account never takes so much that less is left free than it then has, of
 * pages as of nodes: one that is alone gets half, and among k that take all they can each gets as
 * much as is left, 1 / (k + 1), so that whoever comes next still finds something (F4). OVER_LIMIT:
 * it would have more than half of all; EXHAUSTED: others may make room.
 *
 * IMMUTABLE: bytes, size, metadata, entries and name of the node stay, and its place in its
 * directory; only SET_METADATA whose mask is FLAGS and that takes the flag away is granted. One that
 * is unlinked, since it was open then, goes with the last who has it open, as any other.
 *
 * Rules, in the order in which they are asked; a refusal changes nothing (E1).
 *
 * Every message:
 * - INVALID_ARGUMENT: not a known operation, or a body that does not decode; BAD_VERSION: of the
 *   header
 * - DENIED: a sender whose badge cannot be a role id; named gives ends to those alone that the role
 *   table names
 * - READ_ONLY: what would change anything but opens, of a source that cannot be changed
 * - NOT_FOUND: a node that is not there, or not any more
 *
 * ATTACH: NOT_FOUND: another source than this one's. All that was open is closed, in the order of
 * the places.
 *
 * Operations on a name in a directory:
 * - NOT_DIRECTORY: the node is none
 * - BAD_TEXT, OUT_OF_RANGE: no name (abi/formats/path.h)
 *
 * LOOKUP, UNLINK, RMDIR: NOT_FOUND: no such entry
 *
 * CREATE, SYMLINK: first, of SYMLINK:
 * - INVALID_ARGUMENT: the name leaves no bytes for the target
 * - BAD_TEXT, OUT_OF_RANGE: no target
 * then
 * - NOT_FOUND: the directory was removed, and is only open
 * - DENIED: it is IMMUTABLE
 * - DUPLICATE: there is such an entry
 * - OVER_LIMIT, EXHAUSTED: the account's share of nodes, or for a link of pages
 *
 * UNLINK, RMDIR:
 * - DENIED: the directory is IMMUTABLE, or what would go
 * - IS_DIRECTORY, NOT_DIRECTORY: the entry is the other kind
 * - NOT_EMPTY: RMDIR of a directory with entries
 *
 * RENAME:
 * - INVALID_ARGUMENT: the first name leaves no bytes for the second
 * - of the first directory and name, then of the second, what is asked of every name; NOT_FOUND:
 *   the second directory was removed
 * - DENIED: one of the directories is IMMUTABLE
 * - NOT_FOUND: the first has no such entry
 * - nothing changes, and the answer is OK, when both names are the same entry
 * - DENIED: the entry, or what it would replace, is IMMUTABLE
 * - INVALID_ARGUMENT: a directory into itself, or below
 * - NOT_DIRECTORY, IS_DIRECTORY: a directory over what is none, or the other way
 * - NOT_EMPTY: over a directory with entries
 *
 * READ, WRITE, TRUNCATE:
 * - IS_DIRECTORY; INVALID_ARGUMENT: a link
 * - DENIED: WRITE or TRUNCATE of an IMMUTABLE file
 * - OUT_OF_RANGE: WRITE or TRUNCATE past FILE_BYTES_MAX
 * - OVER_LIMIT, EXHAUSTED: WRITE, the account's share of pages
 * WRITE of no bytes and TRUNCATE to the same size change nothing.
 *
 * READLINK: INVALID_ARGUMENT: no link.  READDIR: NOT_DIRECTORY. SET_METADATA: DENIED: as said
 * above. OPEN: EXHAUSTED: open RAMFSD_OPEN_LIMIT times.  CLOSE: NOT_FOUND: it is not open.
 *
 * Time is the latest tick that the kernel told. An operation takes time with the logarithm of what
 * there is, but for what moves when an entry comes or goes (four bytes for each node), the pages
 * that are given back, the directories above the target of a RENAME, and at ATTACH the nodes. */
#ifndef BASALT_SERVICES_RAMFSD_RAMFSD_H
#define BASALT_SERVICES_RAMFSD_RAMFSD_H

#include "abi/messages/ramfsd.h"
#include "services/lib/index.h"
#include "services/lib/service.h"

enum {
    RAMFSD_PLACE_BITS = 20, /* of a node's number; the rest never wraps */
    RAMFSD_ROOT_PLACE = 1,
    RAMFSD_PAGE_LIMIT = (1 << RAMFSD_PLACE_BITS) - 1,
    RAMFSD_OPEN_LIMIT = 65536
};

/* The daemons' memory: as much of the heap window as their rows of abi/roles.def let them touch. */
#define RAMFSD_MEMORY_BYTES (UINT64_C(1000) * PAGE_BYTES)

/* What imagefsd has nodes for besides the root; fuzz/tool/pack.py packs no more. */
enum { RAMFSD_ARCHIVE_ENTRIES_MAX = 897 };

#define FILE_BYTES_MAX (UINT64_C(1) << 40) /* of one file; pages of it have 28 bits */

/* Places count from 1; 0 means none. */
struct ramfsd_node {
    uint64_t generation; /* of the node that is here, or was last; 0: never used */
    uint64_t owner;
    uint64_t size_bytes;
    uint64_t version;
    uint64_t created_ticks;
    uint64_t accessed_ticks;
    uint64_t modified_ticks;
    uint64_t data_at; /* of an archive's file or link: where its bytes lie there */
    uint32_t is_used;
    uint32_t kind;
    uint32_t mode;
    uint32_t flags;
    uint32_t parent;     /* its directory; 0: the root, or unlinked */
    uint32_t account;    /* place of who pays; 0: the root, and nodes of an archive */
    uint32_t page_count; /* of a file or link */
    uint32_t open_count;
    uint32_t next_free; /* when it is not used */
    uint32_t name_count;
    uint8_t name[RAMFSD_NAME_BYTES];
};

struct ramfsd_page {
    uint32_t account; /* place of who pays; 0: free, and all zero when it was ever used */
    uint32_t next_free;
};

/* An account that has anything; its id is its key in the index. */
struct ramfsd_account {
    uint32_t page_count;
    uint32_t node_count; /* both 0: free */
    uint32_t next_free;
};

/* A table's places in use are those that were ever used without those that are free again. */
struct ramfsd_table {
    uint32_t limit;
    uint32_t used;       /* of its places: always the first ones */
    uint32_t first_free; /* of those that were used and are not any more */
    uint32_t count;      /* in use now */
};

/* What the memory is cut into for each page: its bytes and its records, a node with its place in
 * both orders, and an account for either. */
#define RAMFSD_BYTES_PER_PAGE                                                                      \
    (PAGE_BYTES + sizeof(struct ramfsd_page) + sizeof(struct index_node) +                         \
     sizeof(struct ramfsd_node) + sizeof(struct index_node) + sizeof(uint32_t) +                   \
     2 * (sizeof(struct ramfsd_account) + sizeof(struct index_node)))

/* And once: the place 0 of each table, and what alignment takes. */
#define RAMFSD_BYTES_ONCE                                                                          \
    (RAMFSD_BYTES_PER_PAGE - PAGE_BYTES + sizeof(struct ramfsd_account) +                          \
     sizeof(struct index_node) + 8 * sizeof(uint64_t))

struct ramfsd {
    struct caller caller;
    uint32_t open_limit;
    uint32_t order_count; /* entries of all directories */
    struct ramfsd_table nodes;
    struct ramfsd_table pages;
    struct ramfsd_table accounts;
    uint32_t child_root;
    uint32_t page_root;
    uint32_t account_root;
    uint32_t reserved0;
    const uint8_t *archive; /* null: the source is "ram" */
    uint64_t archive_bytes;
    /* The tables lie in the memory that was given; by place. */
    uint8_t *page_bytes;
    struct ramfsd_page *page;
    struct index_node *page_index; /* by node and page of it */
    struct ramfsd_node *node;
    struct index_node *child_index; /* by directory and place, complemented: see tree.c */
    struct ramfsd_account *account;
    struct index_node *account_index; /* by id */
    uint32_t *order; /* places of all nodes with names, ascending (directory, name) */
};

/* Makes an all-zero state an empty tree in zeroed memory, of which at least two pages must come:
 * RAMFSD_BYTES_ONCE and as many times RAMFSD_BYTES_PER_PAGE. `memory` is page-aligned. */
void ramfsd_init(struct ramfsd *ramfsd, void *memory, uint64_t memory_bytes, uint32_t open_limit);

/* The same of an archive, whose bytes stay for ever. NOT_FOUND: an entry before its directory;
 * NOT_DIRECTORY: below, or in the place of, what is none; DUPLICATE: a path that was there;
 * EXHAUSTED: more entries than nodes; and what archive_next refuses. After a refusal the state is
 * of no use. */
enum status ramfsd_init_archive(struct ramfsd *ramfsd, void *memory, uint64_t memory_bytes,
                                uint32_t open_limit, const uint8_t *archive, size_t archive_bytes);

/* How many pages, and as many nodes, come of so much memory. */
uint32_t ramfsd_page_count(uint64_t memory_bytes);

/* The daemon: touches its memory, start-up check, then turns until the process ends. Returns only
 * when EXIT does. `memory` is its heap window, RAMFSD_MEMORY_BYTES of it. */
void ramfsd_run(struct ramfsd *ramfsd, void *memory);

/* The same of an archive, which lies at DATA_VA in its address space; `archive_bytes` is what START
 * said. An archive that ramfsd_init_archive refuses is no READY but that refusal. */
void imagefsd_run(struct ramfsd *ramfsd, void *memory, const uint8_t *archive,
                  uint64_t archive_bytes);

/* A service_handler; `state` is a struct ramfsd. Turns the message into its reply. */
enum handled ramfsd_handle(void *state, struct message *message, const struct receive_info *info);

/* The first property of the tree that does not hold ("F2", ...), or null when all do. Takes time in
 * proportion to all that was ever used, bytes included. */
const char *ramfsd_check(const struct ramfsd *ramfsd);

/* Calls `visit` with every field of the state that a later message can see, in a fixed order. */
void ramfsd_visit_fields(const struct ramfsd *ramfsd, void (*visit)(void *context, uint64_t value),
                         void *context);

#endif
