/* SPDX-License-Identifier: ISC */
/* Counts for each role what the kernel, memd, pagerd, vfsd and who provides files have of its processes, and looks for what
 * belongs to none. Changes nothing but that it ends programs when it is told to. */
#include "props/world/books.h"

#include <stdio.h>
#include <string.h>

#include "abi/roles.h"
#include "kernel/core/cspace.h"
#include "props/world/world.h"
#include "services/loaderd/loaderd.h"
#include "services/memd/memd.h"
#include "services/pagerd/pagerd.h"
#include "services/procd/internal.h"
#include "services/ramfsd/ramfsd.h"
#include "services/vfsd/vfsd.h"
#include "services/vspaced/vspaced.h"

static const char *const book_names[BOOK_CAPS] = {
    [BOOK_PROCESSES] = "processes",
    [BOOK_LIVES] = "lives",
    [BOOK_ACCOUNTS] = "accounts",
    [BOOK_SPARE_PAGES] = "pages of frames that are not mapped",
    [BOOK_UNTYPED_PAGES] = "pages of kernel memory",
    [BOOK_REGISTRATIONS] = "registrations",
    [BOOK_HANDLES] = "handles of files",
    [BOOK_NODES] = "files",
    [BOOK_FILE_PAGES] = "pages of files",
    [BOOK_DEAD] = "slots with what is dead",
};

static char complaint[128];

/* --- who there is ----------------------------------------------------------------------------- */

static bool lives(uint32_t index)
{
    const struct process *process = kernel_process(world_kernel(), index);
    return process != NULL && process->life != LIFE_ENDED && process->life != LIFE_ENDING;
}

/* The process of a program that lives; PROCESS_LIMIT: there is none. */
static uint32_t index_of(const char *program)
{
    for (uint32_t i = 0; i < PROCESS_LIMIT; i++) {
        const char *name = lives(i) ? world_program(i) : NULL;
        if (name != NULL && strcmp(name, program) == 0)
            return i;
    }
    return PROCESS_LIMIT;
}

/* The state of a service that lives; null: there is none, or it hangs, in the middle of something. */
static const void *state_of(const char *program, const char *hung)
{
    uint32_t index = index_of(program);
    bool hangs = hung != NULL && strcmp(hung, program) == 0;
    return index == PROCESS_LIMIT || hangs ? NULL : world_state(index);
}

static uint32_t role_place(uint32_t role)
{
    uint32_t place = 0;
    while (place < role_count && role_table[place].id != role)
        place++;
    return place;
}

/* The place in role_table of the role of a process: programs from files have names of their own. */
static uint32_t place_of(uint32_t index)
{
    for (uint32_t i = 0; i < role_count; i++) {
        if (strcmp(role_table[i].image, world_program(index)) == 0)
            return i;
    }
    return role_place(ROLE_LOADED_PROGRAM);
}

static uint64_t token_of(uint32_t index)
{
    return kernel_process(world_kernel(), index)->event_token;
}

/* The process with that id, or whose mould has it; PROCESS_LIMIT: none lives. */
static uint32_t index_of_id(uint64_t id)
{
    for (uint32_t i = 0; i < PROCESS_LIMIT; i++) {
        if (lives(i) && world_program(i) != NULL && token_of(i) == (id & ~PROCD_MOULD_ID))
            return i;
    }
    return PROCESS_LIMIT;
}

static bool is_mould(uint32_t index)
{
    return kernel_process(world_kernel(), index)->life == LIFE_STAGED &&
           (token_of(index) & PROCD_MOULD_ID) != 0;
}

/* The row of whom an id belongs to; null: nobody. */
static uint64_t *row_of_id(struct books *books, uint64_t id)
{
    uint32_t index = index_of_id(id);
    return index == PROCESS_LIMIT ? NULL : books->of[place_of(index)];
}

/* --- taking ----------------------------------------------------------------------------------- */

/* Which book a capability counts in. Ends of a service in slots with names come and go as it is needed; what
 * is dead takes a slot, but for ends of services that have died. BOOK_COUNT: in none. */
static uint32_t book_of(const struct capability *cap, uint32_t slot, bool is_foundation)
{
    bool is_end = cap->object_type == OBJECT_ENDPOINT;
    if (cap->object_type == OBJECT_NONE || cap->object_type == OBJECT_REPLY ||
        (is_end && slot < SLOT_DYNAMIC_BASE))
        return BOOK_COUNT;
    if (kernel_capability_live(world_kernel(), cap))
        return BOOK_CAPS + cap->object_type;
    return is_end && !is_foundation ? BOOK_COUNT : BOOK_DEAD;
}

static void take_caps(uint64_t *row, uint32_t index, bool is_foundation)
{
    const struct process *process = kernel_process(world_kernel(), index);
    for (uint32_t leaf = cspace_leaf_next(process, 0); leaf < CSPACE_LEAF_COUNT;
         leaf = cspace_leaf_next(process, leaf + 1)) {
        for (uint32_t slot = leaf * CSPACE_LEAF_CAPS;
             slot < (leaf + 1) * CSPACE_LEAF_CAPS && slot < SLOT_LIMIT; slot++) {
            uint32_t book = book_of(kernel_slot(world_kernel(), index, slot), slot, is_foundation);
            if (book != BOOK_COUNT)
                row[book]++;
        }
    }
}

static void take_processes(struct books *books)
{
    for (uint32_t i = 0; i < PROCESS_LIMIT; i++) {
        if (lives(i) && i != KERNEL_ROOT_PROCESS && world_program(i) != NULL) {
            books->of[place_of(i)][BOOK_PROCESSES]++;
            take_caps(books->of[place_of(i)], i,
                      role_table[place_of(i)].kind == ROLE_KIND_FOUNDATION);
        } else if (lives(i) && is_mould(i) && row_of_id(books, token_of(i)) != NULL) {
            take_caps(row_of_id(books, token_of(i)), i, false);
        }
    }
}

static void take_procd(struct books *books, const struct procd *procd)
{
    for (uint32_t i = 0; i < procd->used_count; i++) {
        const struct procd_process *process = &procd->processes[i];
        uint64_t *row = row_of_id(books, procd_table_id(procd, i));
        if (row != NULL && process->life == PROCD_LIFE_RUNNING)
            row[BOOK_LIVES] += process->lives.life_count;
    }
}

/* How many pages a process has depends on how many pagerd fetched at a time: what is the same are those that
 * its account has and pagerd did not map; and the frames that memd keeps besides those that are out. */
static void take_memd(struct books *books, const struct memd *memd)
{
    uint64_t *own = books->of[role_place(ROLE_MEMD)];
    for (uint32_t i = 0; i < memd->account_places.used_count; i++) {
        const struct memd_account *account = &memd->accounts[i];
        uint64_t *row = account->key == 0 ? NULL : row_of_id(books, account->key);
        if (row == NULL)
            continue;
        row[BOOK_ACCOUNTS]++;
        row[BOOK_SPARE_PAGES] += account->held_pages - account->untyped_pages;
        row[BOOK_UNTYPED_PAGES] += account->untyped_pages;
        own[BOOK_CAPS + OBJECT_FRAME] -= account->held_pages - account->untyped_pages;
    }
}

static void take_pagerd(struct books *books, const struct pagerd *pagerd)
{
    for (uint32_t i = 1; i <= pagerd->registration_used; i++) {
        const struct pagerd_registration *registration = &pagerd->registrations[i];
        uint64_t *row =
            registration->state == REGISTRATION_FREE ? NULL : row_of_id(books, registration->token);
        if (row == NULL)
            continue;
        row[BOOK_REGISTRATIONS]++;
        row[BOOK_SPARE_PAGES] -= registration->page_count;
    }
}

static void take_vfsd(struct books *books, const struct vfsd *vfsd)
{
    for (uint32_t i = 0; i < VFSD_HANDLE_LIMIT; i++) {
        for (uint32_t place = 0; place < role_count && vfsd->handles[i].number != 0; place++)
            books->of[place][BOOK_HANDLES] += role_table[place].id == vfsd->handles[i].client;
    }
}

static void take_files(struct books *books, const char *program)
{
    const struct ramfsd *ramfsd = state_of(program, NULL);
    if (ramfsd == NULL)
        return;
    uint64_t *row = books->of[place_of(index_of(program))];
    row[BOOK_NODES] = ramfsd->nodes.count;
    row[BOOK_FILE_PAGES] = ramfsd->pages.count;
}

void books_take(struct books *books)
{
    const struct procd *procd = state_of("procd", NULL);
    const struct memd *memd = state_of("memd", NULL);
    const struct pagerd *pagerd = state_of("pagerd", NULL);
    const struct vfsd *vfsd = state_of("vfsd", NULL);
    memset(books, 0, sizeof *books);
    take_processes(books);
    if (procd != NULL)
        take_procd(books, procd);
    if (memd != NULL)
        take_memd(books, memd);
    if (pagerd != NULL)
        take_pagerd(books, pagerd);
    if (vfsd != NULL)
        take_vfsd(books, vfsd);
    take_files(books, "ramfsd");
    take_files(books, "imagefsd");
}

bool books_has_procd(const char *hung)
{
    return state_of("procd", hung) != NULL;
}

/* --- what is nobody's ------------------------------------------------------------------------- */

static const char *say(const char *who, const char *what, uint64_t count)
{
    snprintf(complaint, sizeof complaint, "%s: %s, %llu", who, what, (unsigned long long)count);
    return complaint;
}

static const char *kernel_left(void)
{
    for (uint32_t i = 0; i < PROCESS_LIMIT; i++) {
        const struct process *process = kernel_process(world_kernel(), i);
        if (process == NULL || i == KERNEL_ROOT_PROCESS)
            continue;
        if (!lives(i))
            return say("kernel", "an end that nobody read", i);
        bool is_kept = is_mould(i) && index_of_id(token_of(i)) != PROCESS_LIMIT;
        if (process->life == LIFE_STAGED && !is_kept)
            return say("kernel", "a staged process", i);
    }
    return NULL;
}

static const char *procd_left(const struct procd *procd)
{
    for (uint32_t i = 0; i < procd->used_count; i++) {
        const struct procd_process *process = &procd->processes[i];
        bool is_there = index_of_id(procd_table_id(procd, i)) != PROCESS_LIMIT;
        if (process->life == PROCD_LIFE_RUNNING ? !is_there : process->owes != 0)
            return say("procd", "it owes for what is not there, life", process->life);
        if (process->life == PROCD_LIFE_STAGED || process->life == PROCD_LIFE_RESTING ||
            process->life == PROCD_LIFE_ENDING || process->life == PROCD_LIFE_OWING)
            return say("procd", "an entry is in life", process->life);
    }
    if (procd->debts.first != 0 || procd->ending.first != 0 || procd->transfer.entry != 0)
        return say("procd", "debts, ends or a transfer, entry", procd->transfer.entry);
    return procd_check(procd);
}

static const char *memd_left(const struct memd *memd)
{
    for (uint32_t i = 0; i < memd->account_places.used_count; i++) {
        const struct memd_account *account = &memd->accounts[i];
        if (account->key != 0 && index_of_id(account->key) == PROCESS_LIMIT)
            return say("memd", "an account of nobody", account->key);
        if (account->key != 0 && account->is_closing != 0)
            return say("memd", "an account that is not closed", account->key);
    }
    return memd_check(memd);
}

static const char *pagerd_left(const struct pagerd *pagerd, bool is_answered)
{
    for (uint32_t i = 1; i <= pagerd->registration_used; i++) {
        const struct pagerd_registration *registration = &pagerd->registrations[i];
        if (registration->state != REGISTRATION_FREE &&
            index_of_id(registration->token) == PROCESS_LIMIT)
            return say("pagerd", "a registration of nobody", registration->token);
        if (registration->state != REGISTRATION_FREE && registration->fills.count != 0)
            return say("pagerd", "fills of", registration->token);
    }
    if (is_answered && (pagerd->owing.count != 0 || pagerd->scratch_full != 0))
        return say("pagerd", "something is owed", pagerd->owing.count);
    return pagerd_check(pagerd);
}

/* pagerd has all spaces that there are, and each of them belongs to a registration. */
static const char *vspaced_left(const struct vspaced *vspaced, const struct pagerd *pagerd,
                                bool is_answered)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < vspaced->space_places.used_count; i++)
        count += vspaced->spaces[i].is_registered != 0;
    if (pagerd != NULL && count > pagerd->registration_count)
        return say("vspaced", "spaces without registrations", count - pagerd->registration_count);
    if (pagerd != NULL && count < pagerd->registration_count)
        return say("vspaced", "registrations without spaces", pagerd->registration_count - count);
    if (is_answered && (vspaced->owed_first != 0 || vspaced->window_filled != 0))
        return say("vspaced", "frames are owed, or lie in its window", vspaced->window_filled);
    return vspaced_check(vspaced);
}

/* Of programs that run no more. */
static uint32_t taken_for_running(const struct loaderd_client *client)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < LOADERD_PLACES; i++)
        count += client->programs[i].life == LOADERD_LIFE_RUNNING &&
                 index_of_id(client->programs[i].process_id) == PROCESS_LIMIT;
    return count;
}

/* What it has open at a vfsd that answers nothing it cannot close. */
static const char *loaderd_left(const struct loaderd *loaderd, const struct vfsd *vfsd)
{
    uint32_t unclosed = vfsd == NULL ? LOADERD_OWES_HANDLE | LOADERD_OWES_ATTACH : 0;
    for (uint32_t i = 0; i < LOADERD_CLIENT_LIMIT; i++) {
        const struct loaderd_client *client = &loaderd->clients[i];
        if (client->launch.path_count != 0 || client->wait.process_id != 0)
            return say("loaderd", "a launch or a wait of", client->role);
        if (taken_for_running(client) != 0)
            return say("loaderd", "takes for running, of one client", taken_for_running(client));
    }
    if (loaderd->work.stage != LOADERD_IDLE || (loaderd->work.owes & ~unclosed) != 0)
        return say("loaderd", "something is owed", loaderd->work.owes);
    for (uint32_t i = 0; vfsd != NULL && i < VFSD_HANDLE_LIMIT; i++) {
        if (vfsd->handles[i].number != 0 && vfsd->handles[i].client == ROLE_LOADERD)
            return say("loaderd", "a handle at vfsd", vfsd->handles[i].number);
    }
    return loaderd_check(loaderd);
}

/* How often nodes are open at who provides them: by handles of vfsd alone, as far as its session goes on. */
static const char *opens_left(const struct vfsd *vfsd, uint32_t mount, const char *program,
                              const struct ramfsd *ramfsd)
{
    uint64_t handles = 0;
    uint64_t opens = 0;
    uint64_t session = vfsd->mounts[mount].session;
    for (uint32_t i = 0; i < VFSD_HANDLE_LIMIT; i++)
        handles += vfsd->handles[i].number != 0 && vfsd->handles[i].session == session;
    for (uint32_t place = 1; place <= ramfsd->nodes.used; place++)
        opens += ramfsd->node[place].open_count;
    return session == 0 || opens <= handles ? NULL : say(program, "open, and not by vfsd", opens);
}

static const char *files_left(const struct vfsd *vfsd, const char *hung)
{
    const char *found = vfsd_check(vfsd);
    for (uint32_t mount = 0; mount < vfsd->mount_count && found == NULL; mount++) {
        const struct role *role = role_find(vfsd->mounts[mount].provider_role);
        const struct ramfsd *ramfsd = state_of(role->image, hung);
        if (ramfsd == NULL)
            continue;
        found = opens_left(vfsd, mount, role->image, ramfsd);
        if (found == NULL)
            found = ramfsd_check(ramfsd);
    }
    return found;
}

const char *books_left(const char *hung)
{
    const struct procd *procd = state_of("procd", hung);
    const struct memd *memd = state_of("memd", hung);
    const struct vspaced *vspaced = state_of("vspaced", hung);
    const struct pagerd *pagerd = state_of("pagerd", hung);
    const struct vfsd *vfsd = state_of("vfsd", hung);
    const struct loaderd *loaderd = state_of("loaderd", hung);
    const char *found = kernel_left();
    if (found == NULL && procd != NULL)
        found = procd_left(procd);
    if (found == NULL && memd != NULL)
        found = memd_left(memd);
    if (found == NULL && pagerd != NULL)
        found = pagerd_left(pagerd, memd != NULL && vspaced != NULL);
    if (found == NULL && vspaced != NULL)
        found = vspaced_left(vspaced, pagerd, memd != NULL);
    if (found == NULL && loaderd != NULL)
        found = loaderd_left(loaderd, vfsd);
    return found == NULL && vfsd != NULL ? files_left(vfsd, hung) : found;
}

/* --- comparing -------------------------------------------------------------------------------- */

static bool is_of_files(uint32_t book)
{
    return book == BOOK_HANDLES || book == BOOK_NODES || book == BOOK_FILE_PAGES;
}

static const char *row_changed(const struct role *role, const uint64_t *now, const uint64_t *before,
                               bool may_lack, bool with_files)
{
    for (uint32_t book = 0; book < BOOK_COUNT; book++) {
        bool lacks = now[book] < before[book] && (may_lack || book == BOOK_CAPS + OBJECT_ENDPOINT);
        if (now[book] == before[book] || lacks || (is_of_files(book) && !with_files))
            continue;
        snprintf(complaint, sizeof complaint, "%s: %s, %llu instead of %llu", role->image,
                 book < BOOK_CAPS ? book_names[book] : object_type_name(book - BOOK_CAPS),
                 (unsigned long long)now[book], (unsigned long long)before[book]);
        return complaint;
    }
    return NULL;
}

const char *books_changed(const struct books *now, const struct books *before, const char *victim,
                          bool with_files)
{
    const char *found = NULL;
    for (uint32_t i = 0; i < role_count && found == NULL; i++) {
        bool is_victim = victim != NULL && strcmp(role_table[i].image, victim) == 0;
        uint64_t expected[BOOK_COUNT];
        memcpy(expected, before->of[i], sizeof expected);
        if (is_victim && now->of[i][BOOK_LIVES] == expected[BOOK_LIVES])
            continue; /* it hangs, in the middle of something */
        if (is_victim)
            expected[BOOK_LIVES] = now->of[i][BOOK_LIVES];
        if (role_table[i].id != ROLE_ROOTD)
            found = row_changed(&role_table[i], now->of[i], expected, victim != NULL,
                                with_files && victim == NULL);
    }
    return found;
}

/* --- ending ----------------------------------------------------------------------------------- */

bool books_has(const char *program)
{
    return index_of(program) != PROCESS_LIMIT;
}

bool books_end(const char *program)
{
    uint32_t index = index_of(program);
    if (index != PROCESS_LIMIT)
        kernel_end_process(world_kernel(), index);
    return index != PROCESS_LIMIT;
}

bool books_end_programs(void)
{
    const struct loaderd *loaderd = state_of("loaderd", NULL);
    bool found = false;
    for (uint32_t i = 0; i < LOADERD_CLIENT_LIMIT * LOADERD_PLACES && loaderd != NULL; i++) {
        const struct loaderd_program *program =
            &loaderd->clients[i / LOADERD_PLACES].programs[i % LOADERD_PLACES];
        uint32_t index = program->life == LOADERD_LIFE_RUNNING ? index_of_id(program->process_id)
                                                               : PROCESS_LIMIT;
        if (index == PROCESS_LIMIT)
            continue;
        kernel_end_process(world_kernel(), index);
        found = true;
    }
    return found;
}
