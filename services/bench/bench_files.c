/* SPDX-License-Identifier: ISC */
/* Figures of files: bytes through vfsd from a volatile file, to it, and from an archive; and a program
 * of 64 KiB from LAUNCH_PATH to its start and to its end. A client like any other: what it counts is
 * what a client waits for. */
#include "services/bench/bench_files.h"

#include <string.h>

#include "services/bench/lines.h"
#include "services/lib/call_loaderd.h"
#include "services/lib/discovery.h"
#include "services/probes/phase4_files.h"

enum {
    FILE_BYTES = 64 << 10,
    CALL_BYTES = FILE_TRANSFER_BYTES_MAX,
    LAUNCHES = 5,
    REST_TICKS =
        100, /* procd tells of one end in PROCD_ASK_TICKS: no launch waits for the last one's */
    CALL_TICKS = 60 * TICKS_PER_SECOND
};

#define VOLATILE_PATH "/tmp/bench"
#define PROGRAM_PATH  "/bin/big"

struct bench_files {
    struct files files;
    uint64_t overhead;
    uint64_t samples[BENCH_SAMPLES];
    uint32_t sample_count;
    struct loaderd_launch_path_request launch;
};

/* --- samples ---------------------------------------------------------------------------------- */

static enum status print_row(struct bench_files *bench, const char *name)
{
    if (bench->sample_count == 0)
        return STATUS_EXHAUSTED;
    struct figure figure = bench_figure(bench->samples, bench->sample_count);
    bench_line_row(&bench->files.caller, name, &figure);
    bench->sample_count = 0;
    return STATUS_OK;
}

static void add_sample(struct bench_files *bench, uint64_t before)
{
    uint64_t cycles = bench_cycles() - before - bench->overhead;
    if (bench->sample_count < BENCH_SAMPLES)
        bench->samples[bench->sample_count++] = cycles;
}

/* --- bytes ------------------------------------------------------------------------------------ */

/* One request of each is made before: what is counted is the call. */
static enum status write_all(struct bench_files *bench, uint64_t handle, bool counted)
{
    struct files *files = &bench->files;
    enum status status = STATUS_OK;
    memset(&files->request, 0xB5, sizeof files->request.write);
    files->request.write.handle = handle;
    files->request.write.reserved0 = 0;
    for (uint64_t at = 0; at < FILE_BYTES && status == STATUS_OK; at += CALL_BYTES) {
        uint64_t left = FILE_BYTES - at;
        files->request.write.offset_bytes = at;
        files->request.write.count = (uint32_t)(left < CALL_BYTES ? left : CALL_BYTES);
        uint64_t before = bench_cycles();
        status = vfsd_call_write(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, DEADLINE_NEVER,
                                 &files->request.write, &files->reply.write);
        if (counted && left >= CALL_BYTES)
            add_sample(bench, before);
    }
    return status;
}

static enum status read_all(struct bench_files *bench, uint64_t handle, uint64_t *read_bytes)
{
    struct files *files = &bench->files;
    enum status status = STATUS_OK;
    *read_bytes = 0;
    memset(&files->request, 0, sizeof files->request.read);
    files->request.read.handle = handle;
    files->request.read.count = CALL_BYTES;
    do {
        files->request.read.offset_bytes = *read_bytes;
        uint64_t before = bench_cycles();
        status = vfsd_call_read(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, DEADLINE_NEVER,
                                &files->request.read, &files->reply.read);
        if (status == STATUS_OK && files->reply.read.count == CALL_BYTES)
            add_sample(bench, before);
        *read_bytes += status == STATUS_OK ? files->reply.read.count : 0;
    } while (status == STATUS_OK && files->reply.read.count != 0);
    return status;
}

static enum status measure_reads(struct bench_files *bench, const char *path, const char *name)
{
    uint64_t handle;
    uint64_t read_bytes = 0;
    enum status status = files_open(&bench->files, path, VFSD_OPEN_READ, &handle);
    if (status != STATUS_OK)
        return status;
    status = read_all(bench, handle, &read_bytes);
    if (status == STATUS_OK && read_bytes < FILE_BYTES)
        status = STATUS_TRUNCATED;
    if (status == STATUS_OK)
        status = files_close(&bench->files, handle);
    return status == STATUS_OK ? print_row(bench, name) : status;
}

/* Bytes to pages that the file has, since they were written before. */
static enum status measure_writes(struct bench_files *bench, const char *path, const char *name)
{
    uint64_t handle;
    enum status status = files_open(&bench->files, path,
                                    VFSD_OPEN_READ | VFSD_OPEN_WRITE | VFSD_OPEN_CREATE, &handle);
    if (status == STATUS_OK)
        status = write_all(bench, handle, false);
    if (status == STATUS_OK)
        status = write_all(bench, handle, true);
    if (status == STATUS_OK)
        status = files_close(&bench->files, handle);
    return status == STATUS_OK ? print_row(bench, name) : status;
}

/* --- programs --------------------------------------------------------------------------------- */

static enum status launch(struct bench_files *bench, uint64_t *process_id)
{
    struct loaderd_launch_path_reply reply;
    struct caller *caller = &bench->files.caller;
    enum status status =
        loaderd_call_launch_path(caller, SLOT_PEER_LOADERD, NO_WINDOW,
                                 caller_deadline(caller, CALL_TICKS), &bench->launch, &reply);
    *process_id = reply.process_id;
    return status;
}

static enum status wait_for_end(struct bench_files *bench, uint64_t process_id)
{
    struct loaderd_wait_program_request request = {.process_id = process_id,
                                                   .deadline_ticks = DEADLINE_NEVER};
    struct loaderd_wait_program_reply ended;
    enum status status = loaderd_call_wait_program(&bench->files.caller, SLOT_PEER_LOADERD,
                                                   NO_WINDOW, DEADLINE_NEVER, &request, &ended);
    return status == STATUS_OK && ended.reason != END_EXITED ? STATUS_INTERNAL : status;
}

static enum handled deny(void *context, struct message *message, const struct receive_info *info)
{
    (void)context;
    (void)info;
    message_refuse(message, STATUS_DENIED);
    return HANDLED_REPLY;
}

static void rest(struct bench_files *bench)
{
    struct caller *caller = &bench->files.caller;
    struct receive_info info = {0};
    (void)service_turn(caller, SLOT_SERVICE_ENDPOINT, DEADLINE_POLL, deny, NULL, &info);
    uint64_t deadline_ticks = info.now_ticks + REST_TICKS;
    (void)service_turn(caller, SLOT_SERVICE_ENDPOINT, deadline_ticks, deny, NULL, &info);
}

/* `whole`: to its end; else to the answer of LAUNCH_PATH, upon which it runs. */
static enum status launches(struct bench_files *bench, const char *path, bool whole)
{
    enum status status = STATUS_OK;
    memset(&bench->launch, 0, sizeof bench->launch);
    while (path[bench->launch.count] != 0) {
        bench->launch.bytes[bench->launch.count] = (uint8_t)path[bench->launch.count];
        bench->launch.count++;
    }
    bench->launch.path_count = bench->launch.count;
    for (uint32_t run = 0; run < LAUNCHES && status == STATUS_OK; run++) {
        uint64_t process_id = 0;
        rest(bench);
        uint64_t before = bench_cycles();
        status = launch(bench, &process_id);
        if (!whole)
            add_sample(bench, before);
        if (status == STATUS_OK)
            status = wait_for_end(bench, process_id);
        if (whole)
            add_sample(bench, before);
    }
    return status;
}

static enum status measure_launch(struct bench_files *bench, const char *path, const char *name)
{
    enum status status = launches(bench, path, false);
    return status == STATUS_OK ? print_row(bench, name) : status;
}

static enum status measure_launch_to_exit(struct bench_files *bench, const char *path,
                                          const char *name)
{
    enum status status = launches(bench, path, true);
    return status == STATUS_OK ? print_row(bench, name) : status;
}

/* --- all of it -------------------------------------------------------------------------------- */

static enum status start(struct bench_files *bench)
{
    struct files *files = &bench->files;
    enum status status =
        service_start(&files->caller, ROLE_BENCH_FILES, &files->envelope, NULL, NULL, NULL);
    if (status == STATUS_OK)
        status = service_take_offer(&files->caller, &files->offer);
    if (status == STATUS_OK)
        status = discovery_find(&files->caller, ROLE_VFSD, SLOT_PEER_VFSD);
    if (status == STATUS_OK)
        status = files_attach(files);
    bench->overhead = bench_overhead();
    return status;
}

uint32_t bench_files_main(uint64_t argument)
{
    static const struct {
        const char *name;
        const char *path;
        enum status (*measure)(struct bench_files *bench, const char *path, const char *name);
    } rows[] = {
        {"file-write", VOLATILE_PATH, measure_writes},
        {"file-read", VOLATILE_PATH, measure_reads},
        {"archive-read", PROGRAM_PATH, measure_reads},
        {"launch", PROGRAM_PATH, measure_launch},
        {"launch-exit", PROGRAM_PATH, measure_launch_to_exit},
    };
    struct bench_files bench;
    const char *name = "start";
    (void)argument;
    memset(&bench, 0, sizeof bench);
    enum status status = start(&bench);
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0] && status == STATUS_OK; i++) {
        name = rows[i].name;
        status = rows[i].measure(&bench, rows[i].path, name);
    }
    bench_line_end(&bench.files.caller, status == STATUS_OK ? NULL : name, status);
    return status == STATUS_OK ? 0 : 1;
}
