/* SPDX-License-Identifier: ISC */
/* The questions of phase4-loader (services/probes/phase4_loader.def), a function each, and its calls to
 * loaderd. Decides nothing but whether an answer that is OK says what it should. */
#include <string.h>

#include "services/probes/phase4_loader.h"

enum {
    HUGE_BYTES = PROCD_LOADER_IMAGE_BYTES_MAX + 1,
    MEMD_ID = 1,
    ENTRY_AT = 24,               /* in an ELF file */
    FIRST_FLAGS_AT = 64 + 56 + 4 /* behind the file's header and that of the headers themselves */
};

#define COPY_PATH "/tmp/program"

/* OK stands only when this does, too. */
static enum status and_also(enum status status, bool holds)
{
    return status == STATUS_OK && !holds ? STATUS_INTERNAL : status;
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
    enum status status =
        loaderd_call_launch_path(loader_caller(loader), SLOT_PEER_LOADERD, NO_WINDOW,
                                 loader_soon(loader), &loader->request.launch, &reply);
    loader->process_id = reply.process_id;
    return status;
}

enum status loader_launch(struct loader *loader, const char *path)
{
    (void)path_of(loader, path);
    return ask_launch(loader);
}

static enum status wait_for(struct loader *loader, uint64_t process_id, uint64_t deadline_ticks)
{
    struct loaderd_wait_program_request request = {process_id, deadline_ticks};
    return loaderd_call_wait_program(loader_caller(loader), SLOT_PEER_LOADERD, NO_WINDOW,
                                     loader_soon(loader), &request, &loader->ended);
}

enum status loader_wait(struct loader *loader, uint64_t deadline_ticks)
{
    return wait_for(loader, loader->process_id, deadline_ticks);
}

static enum status stop(struct loader *loader, uint64_t process_id)
{
    struct loaderd_stop_program_request request = {.process_id = process_id,
                                                   .code = LOADER_STOP_CODE};
    return loaderd_call_stop_program(loader_caller(loader), SLOT_PEER_LOADERD, NO_WINDOW,
                                     loader_soon(loader), &request, NULL);
}

static enum status query(struct loader *loader, uint64_t process_id,
                         struct loaderd_query_program_reply *is)
{
    struct loaderd_query_program_request request = {process_id};
    return loaderd_call_query_program(loader_caller(loader), SLOT_PEER_LOADERD, NO_WINDOW,
                                      loader_soon(loader), &request, is);
}

/* --- CONTRACT --------------------------------------------------------------------------------- */

enum status loader_ask_without_end(struct loader *loader)
{
    path_of(loader, "/bin/hello")->path_count--;
    return ask_launch(loader);
}

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

enum status loader_ask_argument(struct loader *loader)
{
    return launch_with(loader, 1, 0, 0);
}

enum status loader_ask_environment(struct loader *loader)
{
    return launch_with(loader, 0, LOADERD_BLOCK_BYTES_MAX, 0);
}

enum status loader_ask_many_arguments(struct loader *loader)
{
    return launch_with(loader, LOADERD_BLOCK_BYTES_MAX + 1, 0, 0);
}

enum status loader_ask_dynamic(struct loader *loader)
{
    return launch_with(loader, 0, 0, LAUNCH_REQUIRE_DYNAMIC);
}

enum status loader_ask_unknown_flag(struct loader *loader)
{
    return launch_with(loader, 0, 0, LAUNCH_FLAGS_ALL + 1);
}

enum status loader_launch_linger(struct loader *loader)
{
    return loader_launch(loader, "/bin/linger");
}

enum status loader_query_running(struct loader *loader)
{
    struct loaderd_query_program_reply is;
    enum status status = query(loader, loader->process_id, &is);
    return and_also(status, is.state == PROCESS_RUNNING);
}

enum status loader_wait_not_at_all(struct loader *loader)
{
    return loader_wait(loader, 0);
}

enum status loader_stop_program(struct loader *loader)
{
    return stop(loader, loader->process_id);
}

enum status loader_wait_killed(struct loader *loader)
{
    enum status status = loader_wait(loader, loader_patience(loader));
    return and_also(status,
                    loader->ended.reason == END_KILLED && loader->ended.code == LOADER_STOP_CODE);
}

enum status loader_query_killed(struct loader *loader)
{
    struct loaderd_query_program_reply is;
    enum status status = query(loader, loader->process_id, &is);
    return and_also(status, is.state == PROCESS_ENDED && is.reason == END_KILLED &&
                                is.code == LOADER_STOP_CODE);
}

enum status loader_query_memd(struct loader *loader)
{
    struct loaderd_query_program_reply is;
    return query(loader, MEMD_ID, &is);
}

enum status loader_wait_for_memd(struct loader *loader)
{
    return wait_for(loader, MEMD_ID, loader_patience(loader));
}

enum status loader_stop_memd(struct loader *loader)
{
    return stop(loader, MEMD_ID);
}

/* --- MATERIALIZED_LAUNCH ---------------------------------------------------------------------- */

static enum status write_piece(struct loader *loader, uint64_t offset_bytes, uint32_t count)
{
    struct files *files = &loader->files;
    struct vfsd_write_request *write = &loader->request.write;
    memset(write, 0, sizeof *write);
    write->handle = loader->copy_handle;
    write->offset_bytes = offset_bytes;
    write->count = count;
    memcpy(write->bytes, files->reply.read.bytes, count);
    return vfsd_call_write(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, loader_soon(loader), write,
                           &files->reply.write);
}

/* The bytes of a file over those of the copy, from its beginning. */
static enum status copy(struct loader *loader, const char *from)
{
    struct files *files = &loader->files;
    uint64_t handle;
    uint32_t count = 1;
    loader->copy_bytes = 0;
    enum status status = files_open(files, from, VFSD_OPEN_READ, &handle);
    while (status == STATUS_OK && count != 0) {
        status = files_read(files, handle, loader->copy_bytes, FILE_TRANSFER_BYTES_MAX);
        count = files->reply.read.count;
        if (status == STATUS_OK && count != 0)
            status = write_piece(loader, loader->copy_bytes, count);
        loader->copy_bytes += count;
    }
    if (status == STATUS_OK)
        status = files_close(files, handle);
    return and_also(status, loader->copy_bytes != 0);
}

enum status loader_copy_hello(struct loader *loader)
{
    uint32_t flags = VFSD_OPEN_READ | VFSD_OPEN_WRITE | VFSD_OPEN_CREATE;
    enum status status = files_open(&loader->files, COPY_PATH, flags, &loader->copy_handle);
    return status == STATUS_OK ? copy(loader, "/bin/hello") : status;
}

enum status loader_copy_hello_again(struct loader *loader)
{
    return copy(loader, "/bin/hello");
}

/* Flags of the header of the first segment. */
enum status loader_make_code_writable(struct loader *loader)
{
    return files_write(&loader->files, loader->copy_handle, FIRST_FLAGS_AT, "\7");
}

/* To a page without anything; of its eight bytes the lowest three. */
enum status loader_move_entry(struct loader *loader)
{
    return files_write(&loader->files, loader->copy_handle, ENTRY_AT, "\1\1\1");
}

/* What is made has a mode that is not for others. */
enum status loader_make_executable(struct loader *loader)
{
    return files_set_mode(&loader->files, COPY_PATH, 0755);
}

enum status loader_cut_in_half(struct loader *loader)
{
    return files_truncate(&loader->files, loader->copy_handle, loader->copy_bytes / 2);
}

enum status loader_copy_look(struct loader *loader)
{
    return copy(loader, "/bin/look");
}

enum status loader_spoil_magic(struct loader *loader)
{
    return files_write(&loader->files, loader->copy_handle, 1, "no");
}

enum status loader_make_huge(struct loader *loader)
{
    return files_truncate(&loader->files, loader->copy_handle, HUGE_BYTES);
}

enum status loader_make_empty(struct loader *loader)
{
    return files_truncate(&loader->files, loader->copy_handle, 0);
}

enum status loader_unlink_copy(struct loader *loader)
{
    enum status status = files_unlink(&loader->files, COPY_PATH);
    return status == STATUS_OK ? files_close(&loader->files, loader->copy_handle) : status;
}

/* --- CLEANUP_AUTHORITY ------------------------------------------------------------------------ */

/* Counts until the list is over. */
static enum status count_processes(struct loader *loader, uint32_t *count)
{
    struct procd_list_processes_request request = {0};
    struct procd_list_processes_reply reply;
    enum status status = STATUS_OK;
    for (*count = 0; status == STATUS_OK; request.place = reply.place + 1) {
        status = procd_call_list_processes(loader_caller(loader), SLOT_PEER_PROCD, NO_WINDOW,
                                           loader_soon(loader), &request, &reply);
        *count += status == STATUS_OK;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status count_accounts(struct loader *loader, uint32_t *count)
{
    struct memd_list_accounts_request request = {0};
    struct memd_list_accounts_reply reply;
    enum status status = STATUS_OK;
    for (*count = 0; status == STATUS_OK; request.key = reply.key + 1) {
        status = memd_call_list_accounts(loader_caller(loader), SLOT_PEER_MEMD, NO_WINDOW,
                                         loader_soon(loader), &request, &reply);
        *count += status == STATUS_OK;
    }
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status loader_count(struct loader *loader, struct loader_resources *found)
{
    static const struct memd_query_memory_request nothing;
    memset(found, 0, sizeof *found);
    enum status status = memd_call_query_memory(loader_caller(loader), SLOT_PEER_MEMD, NO_WINDOW,
                                                loader_soon(loader), &nothing, &found->memory);
    if (status == STATUS_OK)
        status = count_accounts(loader, &found->accounts);
    return status == STATUS_OK ? count_processes(loader, &found->processes) : status;
}

enum status loader_count_resources(struct loader *loader)
{
    return loader_count(loader, &loader->before);
}

static bool memory_is_same(struct loader *loader)
{
    struct loader_resources now;
    return loader_count(loader, &now) == STATUS_OK &&
           memcmp(&now.memory, &loader->before.memory, sizeof now.memory) == 0;
}

/* So that what is the same at other times says something. */
enum status loader_memory_is_taken(struct loader *loader)
{
    return memory_is_same(loader) ? STATUS_INTERNAL : STATUS_OK;
}

enum status loader_memory_is_back(struct loader *loader)
{
    return memory_is_same(loader) ? STATUS_OK : STATUS_INTERNAL;
}

enum status loader_begin_transfer(struct loader *loader)
{
    struct procd_begin_loader_image_transfer_request *begin = &loader->request.begin;
    struct procd_begin_loader_image_transfer_reply begun;
    memset(begin, 0, sizeof *begin);
    begin->entry_va = USER_VA_FIRST;
    begin->image_bytes = 1;
    begin->segment_count = 1;
    begin->segments[0].va = USER_VA_FIRST;
    begin->segments[0].memory_bytes = 1;
    begin->segments[0].file_bytes = 1;
    begin->segments[0].rights = RIGHT_READ | RIGHT_EXECUTE;
    return procd_call_begin_loader_image_transfer(loader_caller(loader), SLOT_PEER_PROCD, NO_WINDOW,
                                                  loader_soon(loader), begin, &begun);
}

enum status loader_send_chunk(struct loader *loader)
{
    struct procd_send_loader_image_chunk_request *chunk = &loader->request.chunk;
    struct procd_send_loader_image_chunk_reply received;
    memset(chunk, 0, sizeof *chunk);
    chunk->transfer_id = 1;
    chunk->count = 1;
    return procd_call_send_loader_image_chunk(loader_caller(loader), SLOT_PEER_PROCD, NO_WINDOW,
                                              loader_soon(loader), chunk, &received);
}

enum status loader_commit_transfer(struct loader *loader)
{
    struct procd_commit_loader_image_transfer_request commit = {1};
    struct procd_commit_loader_image_transfer_reply made;
    return procd_call_commit_loader_image_transfer(loader_caller(loader), SLOT_PEER_PROCD,
                                                   NO_WINDOW, loader_soon(loader), &commit, &made);
}

enum status loader_abort_transfer(struct loader *loader)
{
    struct procd_abort_loader_image_transfer_request abort = {1};
    return procd_call_abort_loader_image_transfer(loader_caller(loader), SLOT_PEER_PROCD, NO_WINDOW,
                                                  loader_soon(loader), &abort, NULL);
}

enum status loader_launch_image(struct loader *loader)
{
    static const struct procd_launch_loaded_image_request nothing;
    return procd_call_launch_loaded_image(loader_caller(loader), SLOT_PEER_PROCD, NO_WINDOW,
                                          loader_soon(loader), &nothing, NULL);
}
