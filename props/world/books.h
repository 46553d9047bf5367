/* SPDX-License-Identifier: ISC */
/* Everybody's books in a run of the world: what the kernel says that each process holds, and what the
 * services wrote down of it. Reads their states, changes nothing. */
#ifndef BASALT_PROPS_WORLD_BOOKS_H
#define BASALT_PROPS_WORLD_BOOKS_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/capability.h"

enum { BOOKS_ROLE_LIMIT = 96 };

/* What belongs to the processes of a role, and to their moulds. */
enum book {
    BOOK_PROCESSES,
    BOOK_LIVES, /* that procd started */
    BOOK_ACCOUNTS,
    BOOK_SPARE_PAGES, /* that memd gave to these accounts, and pagerd has not mapped */
    BOOK_UNTYPED_PAGES,
    BOOK_REGISTRATIONS, /* with pagerd */
    BOOK_HANDLES,       /* of its files, at vfsd */
    BOOK_NODES,         /* of files, that it provides */
    BOOK_FILE_PAGES,
    BOOK_DEAD, /* slots with a capability of what is gone */
    BOOK_CAPS, /* + object type: what lives, but for replies and the ends in slots with a name */
    BOOK_COUNT = BOOK_CAPS + OBJECT_TYPE_LIMIT
};

struct books {
    uint64_t of[BOOKS_ROLE_LIMIT][BOOK_COUNT]; /* by place in role_table */
};

void books_take(struct books *books);

/* What is nobody's, or is owed still, or is not closed: null when there is nothing. `hung`, a program
 * (may be null), does nothing any more: neither its own books are looked at nor what others owe it. */
const char *books_left(const char *hung);

/* Where the books are not as they were before: null when they are. An end of a service may be missing:
 * it is found again when it is needed. `victim`, a program that hangs or that has ended (may be null),
 * may have a life more, and others may lack what they had of it. `with_files`: which files there are,
 * and who has them open, counts as well, without a victim. */
const char *books_changed(const struct books *now, const struct books *before, const char *victim,
                          bool with_files);

/* Ends the programs that loaderd has had made and that run still: they are their clients', and stay
 * when these end. False: there were none. */
bool books_end_programs(void);

/* Whether a program has a process. */
bool books_has(const char *program);

/* Ends the process of a program. False: there is none. */
bool books_end(const char *program);

/* Whether procd serves: without it nobody is left but rootd, or nothing is given back. */
bool books_has_procd(const char *hung);

#endif
