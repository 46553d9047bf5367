/* SPDX-License-Identifier: ISC */
/* `audit`: boots an image in the host world and audits its authority at READY. Exit 0: nothing was found;
 * 1: something was, or the boot did not reach READY; 2: usage. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "props/world/audit.h"
#include "props/world/file.h"
#include "props/world/world.h"

int main(int argc, char **argv)
{
    bool dot = argc == 3 && strcmp(argv[1], "--dot") == 0;
    if (argc != 2 && !dot) {
        fprintf(stderr, "audit: use: audit [--dot] IMAGE\n");
        return 2;
    }
    struct world_options options = {0};
    void *image = file_read(argv[argc - 1], &options.image_bytes);
    if (image == NULL) {
        fprintf(stderr, "audit: cannot read the image\n");
        return 2;
    }
    options.image = image;
    struct world_result result = world_run(&options);
    unsigned found = 1;
    if (result.end != WORLD_READY) {
        printf("%saudit: the boot did not reach READY\n", result.log);
    } else {
        (dot ? audit_dot : audit_print)(stdout);
        found = audit_findings(dot ? stderr : stdout);
        fprintf(dot ? stderr : stdout, "%u findings\n", found);
    }
    world_release();
    free(image);
    return found == 0 ? 0 : 1;
}
