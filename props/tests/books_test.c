/* SPDX-License-Identifier: ISC */
/* The books of boots in which a call fails (props/world/books.h), which must see what is left and what is
 * changed: of an image with files, when its client has ended, each book is spoilt, and named. What is
 * changed is the state of kernel and services themselves, of a boot in which nothing fails. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/roles.h"
#include "props/base/testing.h"
#include "props/world/books.h"
#include "props/world/file.h"
#include "props/world/world.h"
#include "services/loaderd/loaderd.h"
#include "services/memd/memd.h"
#include "services/pagerd/pagerd.h"
#include "services/procd/procd.h"
#include "services/ramfsd/ramfsd.h"
#include "services/vfsd/vfsd.h"
#include "services/vspaced/vspaced.h"

static struct books before;
static struct books now;
static unsigned looks;

static uint32_t index_of(const char *program)
{
    uint32_t index = 0;
    while (world_program(index) == NULL || strcmp(world_program(index), program) != 0)
        index++;
    return index;
}

/* The state of a service of this run, to be spoilt. */
static void *state_of(const char *program)
{
    return (void *)world_state(index_of(program));
}

static void expect_named(const char *found, const char *line)
{
    expect_of(line, found == NULL ? "nothing" : found,
              found != NULL && strstr(found, line) != NULL);
}

static void expect_left(const char *line)
{
    expect_named(books_left(NULL), line);
}

static void expect_changed(const char *line)
{
    books_take(&now);
    expect_named(books_changed(&now, &before, NULL, true), line);
}

static bool is_sound(void)
{
    books_take(&now);
    return books_left(NULL) == NULL && books_changed(&now, &before, NULL, true) == NULL;
}

/* --- what is left ----------------------------------------------------------------------------- */

static void spoil_kernel(void)
{
    struct process *process = kernel_process(world_kernel(), index_of("logd"));
    uint8_t life = process->life;
    process->life = LIFE_ENDED;
    expect_left("kernel: an end that nobody read");
    process->life = LIFE_STAGED;
    expect_left("kernel: a staged process");
    process->life = life;
}

static void spoil_procd(void)
{
    struct procd *procd = state_of("procd");
    struct procd_process *unused = &procd->processes[procd->used_count];
    procd->used_count++;
    unused->life = PROCD_LIFE_OWING;
    expect_left("procd: an entry is in life");
    unused->owes = PROCD_OWES_ACCOUNT;
    expect_left("procd: it owes for what is not there");
    unused->owes = 0;
    unused->life = PROCD_LIFE_UNUSED;
    procd->used_count--;
    procd->transfer.entry = 1;
    expect_left("procd: debts, ends or a transfer");
    procd->transfer.entry = 0;
}

static void spoil_memd(void)
{
    struct memd *memd = state_of("memd");
    struct memd_account *account = memd->accounts;
    while (account->key == 0)
        account++;
    uint64_t key = account->key;
    account->key = 12345;
    expect_left("memd: an account of nobody");
    account->key = key;
    account->is_closing = 1;
    expect_left("memd: an account that is not closed");
    account->is_closing = 0;
}

static void spoil_pagers(void)
{
    struct pagerd *pagerd = state_of("pagerd");
    struct vspaced *vspaced = state_of("vspaced");
    struct pagerd_registration *registration = pagerd->registrations + 1;
    while (registration->state == REGISTRATION_FREE)
        registration++;
    uint64_t token = registration->token;
    registration->token = 12345;
    expect_left("pagerd: a registration of nobody");
    registration->token = token;
    registration->fills.count++;
    expect_left("pagerd: fills of");
    registration->fills.count--;
    pagerd->owing.count++;
    expect_left("pagerd: something is owed");
    pagerd->owing.count--;
    struct vspaced_space *space = vspaced->spaces;
    while (space->is_registered == 0)
        space++;
    space->is_registered = 0;
    expect_left("vspaced: registrations without spaces, 1");
    space->is_registered = 1;
    vspaced->window_filled = 1;
    expect_left("vspaced: frames are owed");
    vspaced->window_filled = 0;
}

static void spoil_loaderd(void)
{
    struct loaderd *loaderd = state_of("loaderd");
    struct vfsd *vfsd = state_of("vfsd");
    struct loaderd_client *client = loaderd->clients;
    uint8_t life = client->programs[0].life;
    client->launch.path_count = 1;
    expect_left("loaderd: a launch or a wait");
    client->launch.path_count = 0;
    client->programs[0].life = LOADERD_LIFE_RUNNING;
    expect_left("loaderd: takes for running");
    client->programs[0].life = life;
    loaderd->work.owes = LOADERD_OWES_TRANSFER;
    expect_left("loaderd: something is owed");
    loaderd->work.owes = LOADERD_OWES_HANDLE;
    expect_left("loaderd: something is owed");
    expect_of("a vfsd that hangs has it", "owed", books_left("vfsd") == NULL);
    loaderd->work.owes = 0;
    vfsd->handles[7] = (struct vfsd_handle){.number = 7, .client = ROLE_LOADERD};
    expect_left("loaderd: a handle at vfsd");
    memset(&vfsd->handles[7], 0, sizeof vfsd->handles[7]);
}

static void spoil_files(void)
{
    struct ramfsd *ramfsd = state_of("ramfsd");
    ramfsd->node[RAMFSD_ROOT_PLACE].open_count++;
    expect_left("ramfsd: open, and not by vfsd");
    ramfsd->node[RAMFSD_ROOT_PLACE].open_count--;
    ramfsd->nodes.count++;
    expect_changed("ramfsd: files");
    ramfsd->nodes.count--;
}

/* --- what is changed -------------------------------------------------------------------------- */

/* A life more, an account with a page more, and a frame that somebody kept. */
static void spoil_roles(void)
{
    struct procd *procd = state_of("procd");
    struct memd *memd = state_of("memd");
    struct procd_process *logd = procd->processes;
    struct memd_account *account = memd->accounts;
    while (logd->role != ROLE_LOGD || logd->life != PROCD_LIFE_RUNNING)
        logd++;
    logd->lives.life_count++;
    expect_changed("logd: lives, 2 instead of 1");
    logd->lives.life_count--;
    while (account->key == 0 || account->held_pages == account->untyped_pages)
        account++;
    account->held_pages++;
    expect_changed("memd: FRAME"); /* one that memd has given up, and not taken out of its book */
    account->untyped_pages++;
    expect_changed("pages of kernel memory, ");
    account->untyped_pages--;
    account->held_pages--;
    memd->caller.now_ticks++; /* no book */
    expect_of("what is no book", "changed", is_sound());
}

static void spoil_capability(const char *program, uint32_t slot, const char *line)
{
    struct capability *cap =
        (struct capability *)kernel_slot(world_kernel(), index_of(program), slot);
    const struct capability kept = *cap;
    expect_of(program, "holds it", kept.object_type != OBJECT_NONE);
    memset(cap, 0, sizeof *cap);
    expect_changed(line);
    *cap = kept;
}

/* Nothing is behind it any more, and its slot is not empty. */
static void spoil_slot(const char *program)
{
    uint32_t slot = PROCD_SLOT_PROCESS_BASE;
    struct capability *cap;
    do
        cap = (struct capability *)kernel_slot(world_kernel(), index_of(program), ++slot);
    while (cap->object_type == OBJECT_NONE || cap->object_type == OBJECT_ENDPOINT);
    cap->generation++;
    expect_changed("slots with what is dead, 1 instead of 0");
    cap->generation--;
}

/* --- all -------------------------------------------------------------------------------------- */

static uint64_t look(void)
{
    if (looks++ == 0) {
        books_take(&before);
        return TICKS_PER_SECOND;
    }
    expect_of("nothing failed", "changed", is_sound());
    spoil_kernel();
    spoil_procd();
    spoil_memd();
    spoil_pagers();
    spoil_loaderd();
    spoil_files();
    spoil_roles();
    spoil_capability("procd", SLOT_KERNEL_PROCESS_ENDPOINT,
                     "procd: KERNEL_PROCESS, 0 instead of 1");
    spoil_slot("procd");
    expect_of("all is as before", "changed", is_sound());
    return 0;
}

int main(int count, char **arguments)
{
    (void)count;
    static const struct world_pause pause = {"phase4-loader", look};
    struct world_options options = {.pause = &pause};
    void *image = file_read("build/boot-phase4-loader-contract.img", &options.image_bytes);
    if (image == NULL)
        return 2;
    options.image = image;
    struct world_result result = world_run(&options);
    expect_of("the boot goes on", result.log, result.end == WORLD_READY);
    expect_equal(looks, 2, "it was held up once, and again");
    world_release();
    free(image);
    return tests_end(arguments[0]);
}
