/* SPDX-License-Identifier: ISC */
/* phase4-loader: a client of loaderd, in the images of the profiles of programs from files; which of them
 * says the validation profile of its envelope. Has programs of the archive at "/" (linker/files, and the
 * programs of linker/units.ninja) and of the memory at "/tmp" run, sees each end as stated
 * (services/probes/expectations.h) and each refused that is to be, and ends with the number of the first
 * answer that was not the stated one; 0 when all were. */
#include <string.h>

#include "services/lib/call_loaderd.h"
#include "services/lib/call_memd.h"
#include "services/lib/call_procd.h"
#include "services/lib/discovery.h"
#include "services/probes/expectations.h"
#include "services/probes/phase4_files.h"
#include "services/probes/probes.h"

enum {
    LOADER_CALL_TICKS = 4 * PROCD_CALL_TICKS, /* a launch has a few calls to procd */
    LOADER_HUGE_BYTES = PROCD_LOADER_IMAGE_BYTES_MAX + 1,
    LOADER_STOP_CODE = 0x570
};

/* Requests and replies lie in one place (services/probes/phase4_files.h). */
struct loader {
    struct files files; /* what vfsd is asked, and how many answers were as stated */
    uint64_t process_id;
    struct loaderd_wait_program_reply ended;
    struct memd_query_memory_reply book;
    union {
        struct loaderd_launch_path_request launch;
        struct procd_begin_loader_image_transfer_request begin;
        struct procd_send_loader_image_chunk_request chunk;
        struct vfsd_write_request write;
    } request;
};

static void expect(struct loader *loader, bool as_stated)
{
    loader->files.asked++;
    if (!as_stated && loader->files.failed == 0)
        loader->files.failed = loader->files.asked;
}

static struct caller *caller_of(struct loader *loader)
{
    return &loader->files.caller;
}

static uint64_t soon(struct loader *loader)
{
    return caller_deadline(caller_of(loader), LOADER_CALL_TICKS);
}

/* --- programs --------------------------------------------------------------------------------- */

static struct loaderd_launch_path_request *path_of(struct loader *loader, const char *path)
{
    struct loaderd_launch_path_request *request = &loader->request.launch;
    memset(request, 0, sizeof *request);
    while (path[request->count] != 0) {
        request->bytes[request->count] = (uint8_t)path[request->count];
        request->count++;
    }
    request->path_count = request->count;
    return request;
}

static enum status ask_launch(struct loader *loader)
{
    struct loaderd_launch_path_reply reply;
    enum status status = loaderd_call_launch_path(caller_of(loader), SLOT_PEER_LOADERD, NO_WINDOW,
                                                  soon(loader), &loader->request.launch, &reply);
    loader->process_id = reply.process_id;
    return status;
}

static enum status launch(struct loader *loader, const char *path)
{
    (void)path_of(loader, path);
    return ask_launch(loader);
}

static enum status wait_until(struct loader *loader, uint64_t deadline_ticks)
{
    struct loaderd_wait_program_request request = {loader->process_id, deadline_ticks};
    return loaderd_call_wait_program(caller_of(loader), SLOT_PEER_LOADERD, NO_WINDOW, soon(loader),
                                     &request, &loader->ended);
}

static enum status stop(struct loader *loader)
{
    struct loaderd_stop_program_request request = {.process_id = loader->process_id,
                                                   .code = LOADER_STOP_CODE};
    return loaderd_call_stop_program(caller_of(loader), SLOT_PEER_LOADERD, NO_WINDOW, soon(loader),
                                     &request, NULL);
}

static enum status query(struct loader *loader, struct loaderd_query_program_reply *reply)
{
    struct loaderd_query_program_request request = {loader->process_id};
    return loaderd_call_query_program(caller_of(loader), SLOT_PEER_LOADERD, NO_WINDOW, soon(loader),
                                      &request, reply);
}

/* Whether it runs, and ends so. */
static bool ends(struct loader *loader, const char *path, uint32_t reason, uint32_t code,
                 uint64_t fault_va)
{
    return launch(loader, path) == STATUS_OK && wait_until(loader, soon(loader)) == STATUS_OK &&
           loader->ended.process_id == loader->process_id && loader->ended.reason == reason &&
           loader->ended.code == code && loader->ended.fault_va == fault_va;
}

static bool exits(struct loader *loader, const char *path, uint32_t code)
{
    return ends(loader, path, END_EXITED, code, 0);
}

/* --- profile phase4-loader-contract ----------------------------------------------------------- */

/* A block of arguments, or of an environment, and flags. */
static enum status launch_with(struct loader *loader, uint32_t argument_bytes,
                               uint32_t environment_bytes, uint32_t flags)
{
    struct loaderd_launch_path_request *request = path_of(loader, "/bin/hello");
    request->argument_bytes = argument_bytes;
    request->environment_bytes = environment_bytes;
    request->count += argument_bytes + environment_bytes;
    request->flags = flags;
    return ask_launch(loader);
}

static void ask_paths(struct loader *loader)
{
    expect(loader, launch(loader, "bin/hello") == STATUS_BAD_TEXT);
    expect(loader, launch(loader, "/bin//hello") == STATUS_BAD_TEXT);
    expect(loader, launch(loader, "/bin/./hello") == STATUS_BAD_TEXT);
    expect(loader, launch(loader, "/bin/hello/") == STATUS_BAD_TEXT);
    expect(loader, launch(loader, "/bin/../bin/hello") == STATUS_BAD_TEXT);
    path_of(loader, "/bin/hello")->path_count--;
    expect(loader, ask_launch(loader) == STATUS_INVALID_ARGUMENT);
}

static void ask_bridge(struct loader *loader)
{
    expect(loader, launch_with(loader, 1, 0, 0) == STATUS_UNSUPPORTED);
    expect(loader, launch_with(loader, 0, LOADERD_BLOCK_BYTES_MAX, 0) == STATUS_UNSUPPORTED);
    expect(loader,
           launch_with(loader, LOADERD_BLOCK_BYTES_MAX + 1, 0, 0) == STATUS_INVALID_ARGUMENT);
    expect(loader, launch_with(loader, 0, 0, LAUNCH_REQUIRE_DYNAMIC) == STATUS_REQUIRE_DYNAMIC);
    expect(loader, launch_with(loader, 0, 0, LAUNCH_FLAGS_ALL + 1) == STATUS_INVALID_ARGUMENT);
}

/* The same question has the same answer; nothing of this program's is the loaded one's. */
static void ask_twice(struct loader *loader)
{
    for (unsigned i = 0; i < 2; i++) {
        expect(loader, launch(loader, "/nothing") == STATUS_NOT_FOUND);
        expect(loader, exits(loader, "/bin/hello", LOADED_HELLO));
        expect(loader, exits(loader, "/bin/look", LOADED_LOOK));
    }
}

/* One that goes on until it is stopped; one that is nobody's. */
static void ask_life(struct loader *loader)
{
    struct loaderd_query_program_reply is;
    expect(loader, launch(loader, "/bin/linger") == STATUS_OK);
    expect(loader, query(loader, &is) == STATUS_OK && is.state == PROCESS_RUNNING);
    expect(loader, wait_until(loader, 0) == STATUS_TIMED_OUT);
    expect(loader, stop(loader) == STATUS_OK);
    expect(loader, wait_until(loader, soon(loader)) == STATUS_OK &&
                       loader->ended.reason == END_KILLED &&
                       loader->ended.code == LOADER_STOP_CODE);
    expect(loader, query(loader, &is) == STATUS_OK && is.state == PROCESS_ENDED &&
                       is.reason == END_KILLED && is.code == LOADER_STOP_CODE);
    expect(loader, stop(loader) == STATUS_OK);
    loader->process_id = 1; /* memd's */
    expect(loader, query(loader, &is) == STATUS_NOT_FOUND);
    expect(loader, wait_until(loader, soon(loader)) == STATUS_NOT_FOUND);
    expect(loader, stop(loader) == STATUS_NOT_FOUND);
}

static void contract(struct loader *loader)
{
    ask_paths(loader);
    ask_bridge(loader);
    ask_twice(loader);
    ask_life(loader);
}

/* --- profile phase4-loader-fs-discovery -------------------------------------------------------------- */

static const struct {
    const char *path;
    enum status status;
} refused[] = {
    {"/nothing", STATUS_NOT_FOUND},
    {"/bin/nothing", STATUS_NOT_FOUND},
    {"/motd/hello", STATUS_NOT_DIRECTORY},
    {"/bin", STATUS_IS_DIRECTORY},
    {"/", STATUS_IS_DIRECTORY},
    {"/loop", STATUS_LINK_LOOP},
    {"/secret", STATUS_DENIED},
    {"/motd", STATUS_DENIED},
    {"/empty", STATUS_TRUNCATED},
    {"/long", STATUS_BAD_MAGIC},
    {"/bin/dynamic", STATUS_REQUIRE_DYNAMIC},
};

enum { REFUSED_COUNT = sizeof refused / sizeof refused[0] };

static void discover(struct loader *loader)
{
    for (unsigned i = 0; i < REFUSED_COUNT; i++)
        expect(loader, launch(loader, refused[i].path) == refused[i].status);
    expect(loader, exits(loader, "/bin/hello", LOADED_HELLO));
    expect(loader, ends(loader, "/bin/fault", END_FAULT_OUTSIDE, 0, LOADED_FAULT_VA));
}

/* --- profile phase4-loader-materialized-launch ------------------------------------------------------- */

/* Bytes of one file over those of another, from its beginning; how many. */
static uint64_t copy(struct loader *loader, const char *from, uint64_t to_handle)
{
    struct files *files = &loader->files;
    struct vfsd_write_request *write = &loader->request.write;
    uint64_t from_handle;
    uint64_t done = 0;
    bool right = files_open(files, from, VFSD_OPEN_READ, &from_handle) == STATUS_OK;
    while (right) {
        right = files_read(files, from_handle, done, FILE_TRANSFER_BYTES_MAX) == STATUS_OK;
        uint32_t count = files->reply.read.count;
        if (!right || count == 0)
            break;
        memset(write, 0, sizeof *write);
        write->handle = to_handle;
        write->offset_bytes = done;
        write->count = count;
        memcpy(write->bytes, files->reply.read.bytes, count);
        right = vfsd_call_write(caller_of(loader), SLOT_PEER_VFSD, NO_WINDOW, soon(loader), write,
                                &files->reply.write) == STATUS_OK;
        done += count;
    }
    right = files_close(files, from_handle) == STATUS_OK && right;
    return right ? done : 0;
}

/* A file in memory that is a program, is rewritten, is none any more, and is gone. */
static void ask_memory(struct loader *loader)
{
    static const char path[] = "/tmp/program";
    struct files *files = &loader->files;
    uint32_t flags = VFSD_OPEN_READ | VFSD_OPEN_WRITE | VFSD_OPEN_CREATE;
    uint64_t handle;
    expect(loader, files_open(files, path, flags, &handle) == STATUS_OK);
    uint64_t bytes = copy(loader, "/bin/hello", handle);
    expect(loader, bytes != 0);
    expect(loader, launch(loader, path) == STATUS_DENIED); /* its mode is not for others */
    expect(loader, files_set_mode(files, path, 0755) == STATUS_OK);
    expect(loader, exits(loader, path, LOADED_HELLO));
    expect(loader, files_truncate(files, handle, bytes / 2) == STATUS_OK);
    expect(loader, launch(loader, path) == STATUS_OUT_OF_RANGE);
    expect(loader, copy(loader, "/bin/look", handle) != 0);
    expect(loader, exits(loader, path, LOADED_LOOK));
    expect(loader, files_write(files, handle, 1, "no") == STATUS_OK);
    expect(loader, launch(loader, path) == STATUS_BAD_MAGIC);
    expect(loader, files_truncate(files, handle, LOADER_HUGE_BYTES) == STATUS_OK);
    expect(loader, launch(loader, path) == STATUS_OVER_LIMIT);
    expect(loader, files_truncate(files, handle, 0) == STATUS_OK);
    expect(loader, launch(loader, path) == STATUS_TRUNCATED);
    expect(loader, files_unlink(files, path) == STATUS_OK);
    expect(loader, launch(loader, path) == STATUS_NOT_FOUND);
    expect(loader, files_close(files, handle) == STATUS_OK);
}

/* Two programs, two codes; one that reads all of its own memory: data, and zeros behind them. */
static void materialize(struct loader *loader)
{
    expect(loader, exits(loader, "/bin/hello", LOADED_HELLO));
    expect(loader, exits(loader, "/bin/look", LOADED_LOOK));
    expect(loader, exits(loader, "/bin/stock", 0));
    ask_memory(loader);
}

/* --- profile phase4-loader-cleanup-authority --------------------------------------------------------- */

static bool book_is_same(struct loader *loader)
{
    static const struct memd_query_memory_request nothing;
    struct memd_query_memory_reply book;
    enum status status = memd_call_query_memory(caller_of(loader), SLOT_PEER_MEMD, NO_WINDOW,
                                                soon(loader), &nothing, &book);
    bool same = memcmp(&book, &loader->book, sizeof book) == 0;
    loader->book = book;
    return status == STATUS_OK && same;
}

/* A transfer is loaderd's business alone. */
static void ask_procd(struct loader *loader)
{
    static const struct procd_launch_loaded_image_request nothing;
    struct procd_commit_loader_image_transfer_request commit = {1};
    struct procd_commit_loader_image_transfer_reply made;
    struct procd_abort_loader_image_transfer_request abort = {1};
    struct procd_begin_loader_image_transfer_reply begun;
    struct procd_send_loader_image_chunk_reply received;
    memset(&loader->request, 0, sizeof loader->request);
    loader->request.begin.entry_va = USER_VA_FIRST;
    loader->request.begin.image_bytes = 1;
    loader->request.begin.segment_count = 1;
    loader->request.begin.segments[0].va = USER_VA_FIRST;
    loader->request.begin.segments[0].memory_bytes = 1;
    loader->request.begin.segments[0].file_bytes = 1;
    loader->request.begin.segments[0].rights = RIGHT_READ | RIGHT_EXECUTE;
    expect(loader, procd_call_begin_loader_image_transfer(
                       caller_of(loader), SLOT_PEER_PROCD, NO_WINDOW, soon(loader),
                       &loader->request.begin, &begun) == STATUS_DENIED);
    memset(&loader->request, 0, sizeof loader->request);
    loader->request.chunk.transfer_id = 1;
    loader->request.chunk.count = 1;
    expect(loader, procd_call_send_loader_image_chunk(caller_of(loader), SLOT_PEER_PROCD, NO_WINDOW,
                                                      soon(loader), &loader->request.chunk,
                                                      &received) == STATUS_DENIED);
    expect(loader,
           procd_call_commit_loader_image_transfer(caller_of(loader), SLOT_PEER_PROCD, NO_WINDOW,
                                                   soon(loader), &commit, &made) == STATUS_DENIED);
    expect(loader,
           procd_call_abort_loader_image_transfer(caller_of(loader), SLOT_PEER_PROCD, NO_WINDOW,
                                                  soon(loader), &abort, NULL) == STATUS_DENIED);
    expect(loader, procd_call_launch_loaded_image(caller_of(loader), SLOT_PEER_PROCD, NO_WINDOW,
                                                  soon(loader), &nothing, NULL) == STATUS_DENIED);
}

/* Whatever ends it, and whatever refuses it: all memory is back. */
static void clean_up(struct loader *loader)
{
    (void)book_is_same(loader);
    for (unsigned i = 0; i < REFUSED_COUNT; i++)
        expect(loader, launch(loader, refused[i].path) != STATUS_OK && book_is_same(loader));
    expect(loader, exits(loader, "/bin/hello", LOADED_HELLO) && book_is_same(loader));
    expect(loader, ends(loader, "/bin/fault", END_FAULT_OUTSIDE, 0, LOADED_FAULT_VA) &&
                       book_is_same(loader));
    expect(loader, launch(loader, "/bin/linger") == STATUS_OK && !book_is_same(loader));
    expect(loader, stop(loader) == STATUS_OK && wait_until(loader, soon(loader)) == STATUS_OK);
    expect(loader, !book_is_same(loader)); /* from that of the one that lingered */
    expect(loader, exits(loader, "/bin/stock", 0) && book_is_same(loader));
    ask_procd(loader);
    expect(loader, book_is_same(loader));
}

/* --- all -------------------------------------------------------------------------------------- */

static void work(struct loader *loader, uint32_t profile)
{
    bool all = profile == VALIDATION_PROFILE_PHASE4_LOADER_CLOSURE;
    if (all || profile == VALIDATION_PROFILE_PHASE4_LOADER_CONTRACT)
        contract(loader);
    if (all || profile == VALIDATION_PROFILE_PHASE4_LOADER_FS_DISCOVERY)
        discover(loader);
    if (all || profile == VALIDATION_PROFILE_PHASE4_LOADER_MATERIALIZED_LAUNCH)
        materialize(loader);
    if (all || profile == VALIDATION_PROFILE_PHASE4_LOADER_CLEANUP_AUTHORITY)
        clean_up(loader);
}

static void begin(struct loader *loader)
{
    struct files *files = &loader->files;
    memset(loader, 0, sizeof *loader);
    expect(loader, service_start(&files->caller, ROLE_PHASE4_LOADER, &files->envelope, NULL,
                                 NULL) == STATUS_OK);
    expect(loader, service_take_offer(&files->caller, &files->offer) == STATUS_OK);
    expect(loader, discovery_find(&files->caller, ROLE_VFSD, SLOT_PEER_VFSD) == STATUS_OK);
    expect(loader, files_attach(files) == STATUS_OK);
}

/* Processes and records, whoever made them. */
static uint32_t process_count(struct loader *loader)
{
    struct procd_list_processes_request request = {0};
    struct procd_list_processes_reply reply;
    uint32_t count = 0;
    while (procd_call_list_processes(caller_of(loader), SLOT_PEER_PROCD, NO_WINDOW, soon(loader),
                                     &request, &reply) == STATUS_OK) {
        request.place = reply.place + 1;
        count++;
    }
    return count;
}

static uint32_t account_count(struct loader *loader)
{
    struct memd_list_accounts_request request = {0};
    struct memd_list_accounts_reply reply;
    uint32_t count = 0;
    while (memd_call_list_accounts(caller_of(loader), SLOT_PEER_MEMD, NO_WINDOW, soon(loader),
                                   &request, &reply) == STATUS_OK) {
        request.key = reply.key + 1;
        count++;
    }
    return count;
}

uint32_t loader_cleanup_main(uint64_t argument)
{
    enum { POINTS = 6 };
    struct loader loader;
    (void)argument;
    begin(&loader);
    (void)book_is_same(&loader);
    uint32_t processes = process_count(&loader);
    uint32_t accounts = account_count(&loader);
    for (unsigned point = 1; point <= POINTS; point++)
        expect(&loader, launch(&loader, "/bin/stock") == STATUS_EXHAUSTED &&
                            book_is_same(&loader) && process_count(&loader) == processes &&
                            account_count(&loader) == accounts);
    expect(&loader, exits(&loader, "/bin/hello", LOADED_HELLO) && book_is_same(&loader));
    expect(&loader, account_count(&loader) == accounts);
    return loader.files.failed;
}

uint32_t phase4_loader_main(uint64_t argument)
{
    struct loader loader;
    struct files *files = &loader.files;
    (void)argument;
    begin(&loader);
    uint32_t before = files->asked;
    work(&loader, files->envelope.validation_profile);
    expect(&loader, files->asked != before); /* the profile is one of these */
    return files->failed;
}
