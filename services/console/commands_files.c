/* SPDX-License-Identifier: ISC */
/* What is shown of files: a directory's entries, a file's text. Decides how much of it; who may see what,
 * vfsd decides. */
#include <string.h>

#include "abi/messages/vfsd.h"
#include "services/console/internal.h"

/* No word: the root. */
static enum status open(struct console *console, const struct console_command *command,
                        uint32_t flags, struct vfsd_open_reply *file)
{
    struct vfsd_open_request request = {.flags = flags | VFSD_OPEN_READ};
    request.count = command->word_count == 0 ? 1 : command->word_count;
    memcpy(request.path, command->word_count == 0 ? "/" : command->word, request.count);
    return console_call(console, ROLE_VFSD, 0, &vfsd_open_request_type, &request, file);
}

/* What is refused stays open: vfsd has a limit for each client. */
static void close(struct console *console, const char *what, uint64_t handle, enum status status)
{
    struct vfsd_close_request request = {.handle = handle};
    enum status closed =
        console_call(console, ROLE_VFSD, 0, &vfsd_close_request_type, &request, NULL);
    if (status == STATUS_OK)
        status = closed;
    if (status != STATUS_OK)
        console_say(console, what, status);
}

static void show_entry(struct console *console, const struct vfsd_readdir_reply *entry)
{
    static const char *const marks[] = {
        [FILE_KIND_FILE] = "", [FILE_KIND_DIRECTORY] = "/", [FILE_KIND_SYMLINK] = "@"};
    row_text(&console->row, "  ");
    row_bytes(&console->row, entry->name, entry->count);
    row_text(&console->row, marks[entry->kind]);
    console_row_end(console);
}

/* The next entry, and one behind it: a cursor that does not grow would never come to an end. */
static enum status list_entry(struct console *console, struct vfsd_readdir_request *request,
                              bool *is_last)
{
    struct vfsd_readdir_reply entry;
    enum status status =
        console_call(console, ROLE_VFSD, 0, &vfsd_readdir_request_type, request, &entry);
    *is_last = status != STATUS_OK || entry.file_id == 0;
    if (*is_last)
        return status;
    if (entry.next_cursor <= request->cursor)
        return STATUS_INTERNAL;
    request->cursor = entry.next_cursor;
    show_entry(console, &entry);
    return STATUS_OK;
}

void console_ls(struct console *console, const struct console_command *command)
{
    struct vfsd_open_reply directory;
    enum status status = open(console, command, VFSD_OPEN_DIRECTORY, &directory);
    if (status != STATUS_OK) {
        console_say(console, "ls", status);
        return;
    }
    struct vfsd_readdir_request request = {.handle = directory.handle};
    bool is_last = false;
    for (uint32_t i = 0; !is_last && status == STATUS_OK && console->lost == STATUS_OK; i++) {
        status =
            i == CONSOLE_ROWS_MAX ? STATUS_OVER_LIMIT : list_entry(console, &request, &is_last);
    }
    close(console, "ls", directory.handle, status);
}

/* A row ends with its line, or where there is no room for more of it. */
static uint32_t show_text(struct console *console, const uint8_t *bytes, uint32_t count)
{
    uint32_t rows = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool ends = bytes[i] == '\n';
        if (!ends)
            row_bytes(&console->row, &bytes[i], 1);
        if (!ends && console->row.count < CONSOLE_ROW_BYTES_MAX)
            continue;
        console_row_end(console);
        rows++;
    }
    return rows;
}

void console_cat(struct console *console, const struct console_command *command)
{
    struct vfsd_open_reply file;
    enum status status = open(console, command, 0, &file);
    if (status != STATUS_OK) {
        console_say(console, "cat", status);
        return;
    }
    struct vfsd_read_request request = {.handle = file.handle, .count = FILE_TRANSFER_BYTES_MAX};
    struct vfsd_read_reply piece = {.count = 1};
    uint32_t rows = 0;
    while (status == STATUS_OK && piece.count != 0 && console->lost == STATUS_OK) {
        status = rows > CONSOLE_ROWS_MAX ? STATUS_OVER_LIMIT
                                         : console_call(console, ROLE_VFSD, 0,
                                                        &vfsd_read_request_type, &request, &piece);
        if (status != STATUS_OK)
            break;
        rows += 1 + show_text(console, piece.bytes, piece.count);
        request.offset_bytes += piece.count;
    }
    if (console->row.count != 0)
        console_row_end(console);
    close(console, "cat", file.handle, status);
}
