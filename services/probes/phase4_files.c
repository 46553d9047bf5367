/* SPDX-License-Identifier: ISC */
/* phase4-files: a client of vfsd in the image of profile files. Does with files what may be done, in the
 * archive that lies at "/" (linker/files) and in the memory at "/tmp", asks each operation for what it
 * refuses as well, and ends with the number of the first answer that was not the stated one; 0 when all
 * were. What vfsd has no reason to ask of ramfsd wrongly it asks itself. */
#include "services/probes/phase4_files.h"

#include <string.h>

#include "services/lib/call_ramfsd.h"
#include "services/lib/discovery.h"
#include "services/probes/probes.h"
#include "services/probes/wrong.h"

enum { RAMFSD_SLOT = SLOT_DYNAMIC_BASE, NOWHERE = 12345, NOBODYS_HANDLE = 0x7777 };

static void expect(struct files *files, bool as_stated)
{
    files->asked++;
    if (!as_stated && files->failed == 0)
        files->failed = files->asked;
}

/* --- what is there at "/" --------------------------------------------------------------------- */

static void ask_archive(struct files *files)
{
    uint64_t handle;
    expect(files, files_stat(files, "/motd", 0) == STATUS_OK);
    expect(files, files->is.kind == FILE_KIND_FILE && files->is.size_bytes == 36 &&
                      files->is.mode == 0644 && files->is.owner == 0 && files->is.read_only == 1 &&
                      files->is.file_id != 0);
    expect(files, files_open(files, "/motd", VFSD_OPEN_READ, &handle) == STATUS_OK);
    expect(files, files_reads(files, handle, 0, "Files of the boot image, read-only.\n"));
    expect(files, files_reads(files, handle, 9, "the boot image, read-only.\n"));
    expect(files, files_reads(files, handle, 4096, ""));
    expect(files, files_close(files, handle) == STATUS_OK);
    expect(files, files_close(files, handle) == STATUS_NOT_FOUND);
    expect(files, files_holds(files, "/docs/deep/er/leaf", "far below\n"));
    expect(files, files_holds(files, "/empty", ""));
    expect(files, files_stat(files, "/nothing", 0) == STATUS_NOT_FOUND);
    expect(files, files_stat(files, "/motd/x", 0) == STATUS_NOT_DIRECTORY);
    expect(files, files_stat(files, "/motd/", 0) == STATUS_BAD_TEXT);
    expect(files, files_stat(files, "/docs/../motd", 0) == STATUS_BAD_TEXT);
    expect(files, files_open(files, "/docs", VFSD_OPEN_READ, &handle) == STATUS_IS_DIRECTORY);
    expect(files, files_open(files, "/secret", VFSD_OPEN_READ, &handle) == STATUS_DENIED);
    expect(files, files_open(files, "/motd", 0, &handle) == STATUS_INVALID_ARGUMENT);
}

/* Each of its lines is as long as the others and says which one it is. */
static void ask_long(struct files *files)
{
    enum { LINE_BYTES = 47, LINES = 240, DIGITS_AT = 5 };
    uint64_t handle;
    bool right = files_open(files, "/long", VFSD_OPEN_READ, &handle) == STATUS_OK &&
                 files->is.size_bytes == (uint64_t)LINES * LINE_BYTES && files->is.mode == 0755;
    for (uint32_t line = 1; line <= LINES; line++) {
        uint64_t at = (uint64_t)(line - 1) * LINE_BYTES;
        right = right && files_read(files, handle, at, LINE_BYTES) == STATUS_OK;
        const uint8_t *bytes = files->reply.read.bytes;
        uint32_t number = (bytes[DIGITS_AT] - '0') * 100u + (bytes[DIGITS_AT + 1] - '0') * 10u +
                          (bytes[DIGITS_AT + 2] - '0');
        right = right && files->reply.read.count == LINE_BYTES && number == line;
    }
    expect(files, right);
    expect(files, files_read(files, handle, 0, FILE_TRANSFER_BYTES_MAX) == STATUS_OK &&
                      files->reply.read.count == FILE_TRANSFER_BYTES_MAX);
    expect(files, files_close(files, handle) == STATUS_OK);
}

static void ask_links(struct files *files)
{
    uint64_t handle;
    expect(files, files_leads_to(files, "/link", "docs/readme"));
    expect(files, files_holds(files, "/link", "a file in a folder\n"));
    expect(files, files_holds(files, "/docs/up", "Files of the boot image, read-only.\n"));
    expect(files, files_stat(files, "/link", VFSD_NO_FOLLOW) == STATUS_OK &&
                      files->is.kind == FILE_KIND_SYMLINK);
    expect(files, files_stat(files, "/loop", 0) == STATUS_LINK_LOOP);
    expect(files, files_stat(files, "/dangling", 0) == STATUS_NOT_FOUND);
    expect(files, files_open(files, "/link", VFSD_OPEN_READ | VFSD_NO_FOLLOW, &handle) ==
                      STATUS_LINK_LOOP);
    expect(files, files_readlink(files, "/motd") == STATUS_INVALID_ARGUMENT);
    expect(files, files_readlink(files, "/nothing") == STATUS_NOT_FOUND);
}

/* "tmp" is there as the entry below the mount. */
static void ask_folders(struct files *files)
{
    expect(files, files_lists(files, "/", "motd") == 1);
    expect(files, files_lists(files, "/", "docs") == 1);
    expect(files, files_lists(files, "/", "tmp") == 1);
    expect(files, files_lists(files, "/", "readme") == 0);
    expect(files, files_lists(files, "/docs", "readme") == 1);
    expect(files, files_lists(files, "/docs/deep", "er") == 1);
    expect(files, files_stat(files, "/tmp/covered", 0) == STATUS_NOT_FOUND);
}

/* Nothing is changed in what is read-only, whoever asks. */
static void ask_read_only(struct files *files)
{
    uint64_t handle;
    expect(files, files_open(files, "/motd", VFSD_OPEN_WRITE, &handle) == STATUS_READ_ONLY);
    expect(files, files_open(files, "/new", VFSD_OPEN_WRITE | VFSD_OPEN_CREATE, &handle) ==
                      STATUS_READ_ONLY);
    expect(files, files_mkdir(files, "/new") == STATUS_READ_ONLY);
    expect(files, files_unlink(files, "/motd") == STATUS_READ_ONLY);
    expect(files, files_rmdir(files, "/docs/deep/er") == STATUS_READ_ONLY);
    expect(files, files_rename(files, "/motd", "/empty") == STATUS_READ_ONLY);
    expect(files, files_symlink(files, "/new", "motd") == STATUS_READ_ONLY);
    expect(files, files_set_mode(files, "/motd", 0600) == STATUS_READ_ONLY);
}

/* --- what is made at "/tmp" ------------------------------------------------------------------- */

static void make_file(struct files *files)
{
    uint64_t handle;
    uint64_t other;
    uint32_t create = VFSD_OPEN_READ | VFSD_OPEN_WRITE | VFSD_OPEN_CREATE | VFSD_OPEN_EXCLUSIVE;
    expect(files, files_open(files, "/tmp/a", create, &handle) == STATUS_OK);
    expect(files, files->is.size_bytes == 0 && files->is.owner == ROLE_PHASE4_FILES &&
                      files->is.read_only == 0 && files->is.mode == FILES_MODE);
    expect(files, files_open(files, "/tmp/a", create, &other) == STATUS_DUPLICATE);
    expect(files, files_write(files, handle, 0, "what is written") == STATUS_OK &&
                      files->reply.write.size_bytes == 15);
    expect(files, files_reads(files, handle, 0, "what is written"));
    expect(files, files_write(files, handle, 8, "read") == STATUS_OK);
    expect(files, files_reads(files, handle, 0, "what is readten"));
    uint64_t version = files_version(files, handle);
    expect(files, files_write(files, handle, 0, "W") == STATUS_OK &&
                      files_version(files, handle) > version);
    expect(files, files_close(files, handle) == STATUS_OK);
    expect(files, files_holds(files, "/tmp/a", "What is readten"));
    expect(files,
           files_open(files, "/tmp/a", VFSD_OPEN_WRITE | VFSD_OPEN_TRUNCATE, &handle) == STATUS_OK);
    expect(files, files_read(files, handle, 0, 1) == STATUS_DENIED);
    expect(files, files_close(files, handle) == STATUS_OK);
    expect(files, files_holds(files, "/tmp/a", ""));
    expect(files, files_open(files, "/tmp/a", VFSD_OPEN_READ, &handle) == STATUS_OK);
    expect(files, files_write(files, handle, 0, "no") == STATUS_DENIED);
    expect(files, files_truncate(files, handle, 1) == STATUS_DENIED);
    expect(files, files_close(files, handle) == STATUS_OK);
}

/* What was never written reads as zero, and what is cut off is gone (F3). */
static void make_holes(struct files *files)
{
    enum { FAR = 5 * PAGE_BYTES + 100 };
    uint64_t handle;
    expect(files,
           files_open(files, "/tmp/a", VFSD_OPEN_READ | VFSD_OPEN_WRITE, &handle) == STATUS_OK);
    expect(files, files_write(files, handle, 0, "first") == STATUS_OK);
    expect(files, files_write(files, handle, FAR, "last") == STATUS_OK &&
                      files->reply.write.size_bytes == FAR + 4);
    expect(files, files_is_zero(files, handle, 5, FILE_TRANSFER_BYTES_MAX));
    expect(files, files_is_zero(files, handle, 2 * PAGE_BYTES, FILE_TRANSFER_BYTES_MAX));
    expect(files, files_is_zero(files, handle, FAR - 100, 100));
    expect(files, files_reads(files, handle, FAR, "last"));
    expect(files, files_truncate(files, handle, 3) == STATUS_OK);
    expect(files, files_reads(files, handle, 0, "fir"));
    expect(files, files_truncate(files, handle, 2 * PAGE_BYTES) == STATUS_OK);
    expect(files, files_reads_first(files, handle, 0, "fir"));
    expect(files, files_is_zero(files, handle, 3, FILE_TRANSFER_BYTES_MAX));
    expect(files, files_is_zero(files, handle, 2 * PAGE_BYTES - 10, 10));
    expect(files,
           files_stat_handle(files, handle) == STATUS_OK && files->is.size_bytes == 2 * PAGE_BYTES);
    expect(files, files_truncate(files, handle, UINT64_MAX) == STATUS_OUT_OF_RANGE);
    expect(files, files_write(files, handle, UINT64_MAX, "x") == STATUS_OUT_OF_RANGE);
    expect(files, files_close(files, handle) == STATUS_OK);
}

static void make_folders(struct files *files)
{
    expect(files, files_mkdir(files, "/tmp/d") == STATUS_OK);
    expect(files, files_mkdir(files, "/tmp/d") == STATUS_DUPLICATE);
    expect(files, files_mkdir(files, "/tmp/none/e") == STATUS_NOT_FOUND);
    expect(files, files_mkdir(files, "/tmp/d/e") == STATUS_OK);
    expect(files, files_put(files, "/tmp/d/f", "one") == STATUS_OK);
    expect(files, files_put(files, "/tmp/d/g", "two") == STATUS_OK);
    expect(files, files_lists(files, "/tmp/d", "e") == 1 && files->listed == 3);
    expect(files, files_lists(files, "/tmp/d", "g") == 1);
    expect(files, files_rmdir(files, "/tmp/d") == STATUS_NOT_EMPTY);
    expect(files, files_rmdir(files, "/tmp/d/f") == STATUS_NOT_DIRECTORY);
    expect(files, files_unlink(files, "/tmp/d/e") == STATUS_IS_DIRECTORY);
    expect(files, files_unlink(files, "/tmp/d/h") == STATUS_NOT_FOUND);
    expect(files, files_rmdir(files, "/tmp") == STATUS_BUSY);
}

static void move(struct files *files)
{
    expect(files, files_rename(files, "/tmp/d/f", "/tmp/d/e/f") == STATUS_OK);
    expect(files, files_stat(files, "/tmp/d/f", 0) == STATUS_NOT_FOUND);
    expect(files, files_holds(files, "/tmp/d/e/f", "one"));
    expect(files, files_rename(files, "/tmp/d/g", "/tmp/d/e/f") == STATUS_OK);
    expect(files, files_holds(files, "/tmp/d/e/f", "two"));
    expect(files, files_rename(files, "/tmp/d", "/tmp/d/e/d") == STATUS_INVALID_ARGUMENT);
    expect(files, files_rename(files, "/tmp/a", "/tmp/d") == STATUS_IS_DIRECTORY);
    expect(files, files_rename(files, "/tmp/d", "/tmp/a") == STATUS_NOT_DIRECTORY);
    expect(files, files_rename(files, "/tmp/none", "/tmp/a") == STATUS_NOT_FOUND);
    expect(files, files_rename(files, "/tmp/a", "/a") == STATUS_UNSUPPORTED);
    expect(files, files_rename(files, "/tmp", "/b") == STATUS_BUSY);
}

/* Hard links are refused, whatever they name. */
static void link_to(struct files *files)
{
    expect(files, files_symlink(files, "/tmp/l", "d/e/f") == STATUS_OK);
    expect(files, files_leads_to(files, "/tmp/l", "d/e/f"));
    expect(files, files_holds(files, "/tmp/l", "two"));
    expect(files, files_symlink(files, "/tmp/l", "a") == STATUS_DUPLICATE);
    expect(files, files_symlink(files, "/tmp/m", "/link") == STATUS_OK);
    expect(files, files_holds(files, "/tmp/m", "a file in a folder\n"));
    expect(files, files_link(files, "/tmp/a", "/tmp/b") == STATUS_UNSUPPORTED);
    expect(files, files_link(files, "/motd", "/tmp/b") == STATUS_UNSUPPORTED);
    expect(files, files_link(files, "/motd", "b") == STATUS_BAD_TEXT);
    expect(files, files_stat(files, "/tmp/b", 0) == STATUS_NOT_FOUND);
    expect(files, files_unlink(files, "/tmp/l") == STATUS_OK);
    expect(files, files_holds(files, "/tmp/d/e/f", "two"));
}

/* An unlinked file that is open stays (F2). */
static void outlive(struct files *files)
{
    uint64_t handle;
    expect(files,
           files_open(files, "/tmp/d/e/f", VFSD_OPEN_READ | VFSD_OPEN_WRITE, &handle) == STATUS_OK);
    expect(files, files_unlink(files, "/tmp/d/e/f") == STATUS_OK);
    expect(files, files_stat(files, "/tmp/d/e/f", 0) == STATUS_NOT_FOUND);
    expect(files, files_reads(files, handle, 0, "two"));
    expect(files, files_write(files, handle, 3, "!") == STATUS_OK);
    expect(files, files_reads(files, handle, 0, "two!"));
    expect(files, files_attach(files) == STATUS_OK);
    expect(files, files_read(files, handle, 0, 1) == STATUS_NOT_FOUND);
    expect(files, files_rmdir(files, "/tmp/d/e") == STATUS_OK);
    expect(files, files_rmdir(files, "/tmp/d") == STATUS_OK);
    expect(files, files_stat(files, "/tmp/d", 0) == STATUS_NOT_FOUND);
}

/* Modes, times, owners, and IMMUTABLE (F6). */
static void own(struct files *files)
{
    uint64_t handle;
    expect(files, files_set_mode(files, "/tmp/a", 0) == STATUS_OK);
    expect(files, files_open(files, "/tmp/a", VFSD_OPEN_READ, &handle) == STATUS_DENIED);
    expect(files, files_set_mode(files, "/tmp/a", 0600) == STATUS_OK);
    expect(files, files_set_times(files, "/tmp/a", 77, 88) == STATUS_OK);
    expect(files, files_stat(files, "/tmp/a", 0) == STATUS_OK && files->is.mode == 0600 &&
                      files->is.accessed_ticks == 77 && files->is.modified_ticks == 88);
    expect(files, files_set_flags(files, "/tmp/a", FILE_IMMUTABLE) == STATUS_OK);
    expect(files, files_stat(files, "/tmp/a", 0) == STATUS_OK && files->is.flags == FILE_IMMUTABLE);
    expect(files, files_open(files, "/tmp/a", VFSD_OPEN_WRITE, &handle) == STATUS_OK);
    expect(files, files_write(files, handle, 0, "no") == STATUS_DENIED);
    expect(files, files_truncate(files, handle, 0) == STATUS_DENIED);
    expect(files, files_close(files, handle) == STATUS_OK);
    expect(files, files_unlink(files, "/tmp/a") == STATUS_DENIED);
    expect(files, files_rename(files, "/tmp/a", "/tmp/b") == STATUS_DENIED);
    expect(files, files_set_mode(files, "/tmp/a", 0644) == STATUS_DENIED);
    expect(files, files_set_flags(files, "/tmp/a", 0) == STATUS_OK);
    expect(files, files_set_owner(files, "/tmp/a", ROLE_LOADERD) == STATUS_OK);
    expect(files, files_set_mode(files, "/tmp/a", 0644) == STATUS_DENIED);
    expect(files, files_open(files, "/tmp/a", VFSD_OPEN_READ, &handle) == STATUS_DENIED);
    expect(files, files_unlink(files, "/tmp/a") == STATUS_DENIED); /* 01000 at "/tmp" */
}

/* --- what is refused -------------------------------------------------------------------------- */

/* Handles that are nobody's, and what the administrator alone may ask. */
static void ask_wrong(struct files *files)
{
    static const struct vfsd_attach_request attach;
    struct vfsd_seed_mount_request seed = {.provider_role = ROLE_RAMFSD,
                                           .source_count = 3,
                                           .count = 5,
                                           .source_and_path = {'r', 'a', 'm', '/', 'x'}};
    static const struct vfsd_seal_request seal;
    struct vfsd_seal_reply sealed;
    uint64_t deadline_ticks = caller_deadline(&files->caller, FILES_CALL_TICKS);
    expect(files, files_read(files, NOBODYS_HANDLE, 0, 1) == STATUS_NOT_FOUND);
    expect(files, files_write(files, NOBODYS_HANDLE, 0, "x") == STATUS_NOT_FOUND);
    expect(files, files_truncate(files, NOBODYS_HANDLE, 0) == STATUS_NOT_FOUND);
    expect(files, files_stat_handle(files, NOBODYS_HANDLE) == STATUS_NOT_FOUND);
    expect(files, files_readdir(files, NOBODYS_HANDLE, 0) == STATUS_NOT_FOUND);
    expect(files, ask_wrongly(&files->caller, SLOT_PEER_VFSD, deadline_ticks,
                              &vfsd_attach_request_type, &attach, NULL) == STATUS_INVALID_ARGUMENT);
    expect(files, vfsd_call_seed_mount(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, deadline_ticks,
                                       &seed, NULL) == STATUS_DENIED);
    expect(files, vfsd_call_seal(&files->caller, SLOT_PEER_VFSD, NO_WINDOW, deadline_ticks, &seal,
                                 &sealed) == STATUS_DENIED);
}

/* A message of an operation that is a byte too short for it. */
static enum status ask_briefly(struct files *files, uint16_t operation)
{
    struct message *message = caller_message(&files->caller);
    memset(&message->header, 0, sizeof message->header);
    message->header.version = MESSAGE_VERSION;
    message->header.operation = operation;
    message->header.request_id = ++files->caller.last_request_id;
    message->header.body_bytes = 1;
    message->body[0] = 0;
    enum status status =
        sys_call(RAMFSD_SLOT, message, caller_deadline(&files->caller, FILES_CALL_TICKS));
    return status == STATUS_OK ? (enum status)message->header.status : status;
}

/* ramfsd refuses whoever asks it wrongly, be that not vfsd; what vfsd has open there stays. */
static void ask_ramfsd(struct files *files)
{
    struct ramfsd_attach_request attach = {.count = 2, .source = {'r', 'o'}};
    struct ramfsd_attach_reply root;
    struct ramfsd_stat_request stat = {.node = NOWHERE};
    struct ramfsd_stat_reply is;
    uint64_t handle;
    uint64_t deadline_ticks = caller_deadline(&files->caller, FILES_CALL_TICKS);
    expect(files, files_put(files, "/tmp/kept", "kept") == STATUS_OK);
    expect(files, files_open(files, "/tmp/kept", VFSD_OPEN_READ, &handle) == STATUS_OK);
    expect(files, discovery_find(&files->caller, ROLE_RAMFSD, RAMFSD_SLOT) == STATUS_OK);
    expect(files, ramfsd_call_attach(&files->caller, RAMFSD_SLOT, NO_WINDOW, deadline_ticks,
                                     &attach, &root) == STATUS_NOT_FOUND);
    expect(files, ramfsd_call_stat(&files->caller, RAMFSD_SLOT, NO_WINDOW, deadline_ticks, &stat,
                                   &is) == STATUS_NOT_FOUND);
    for (uint16_t operation = OP_RAMFSD_ATTACH; operation <= OP_RAMFSD_CLOSE; operation++)
        expect(files, ask_briefly(files, operation) == STATUS_INVALID_ARGUMENT);
    expect(files, files_reads(files, handle, 0, "kept"));
    expect(files, files_close(files, handle) == STATUS_OK);
    expect(files, files_unlink(files, "/tmp/kept") == STATUS_OK);
}

uint32_t phase4_files_main(uint64_t argument)
{
    struct files files;
    (void)argument;
    memset(&files, 0, sizeof files);
    expect(&files, service_start(&files.caller, ROLE_PHASE4_FILES, &files.envelope, NULL, NULL,
                                 NULL) == STATUS_OK);
    expect(&files, service_take_offer(&files.caller, &files.offer) == STATUS_OK);
    expect(&files, discovery_find(&files.caller, ROLE_VFSD, SLOT_PEER_VFSD) == STATUS_OK);
    expect(&files, files_attach(&files) == STATUS_OK);
    ask_archive(&files);
    ask_long(&files);
    ask_links(&files);
    ask_folders(&files);
    ask_read_only(&files);
    make_file(&files);
    make_holes(&files);
    make_folders(&files);
    move(&files);
    link_to(&files);
    outlive(&files);
    own(&files);
    ask_wrong(&files);
    ask_ramfsd(&files);
    return files.failed;
}
