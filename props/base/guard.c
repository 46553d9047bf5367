/* SPDX-License-Identifier: ISC */
/* The stack protector's guard, which the image's objects take from a global and libc keeps
 * elsewhere. Only the shipped variant's links ask for it. */
#include <stdint.h>

extern uintptr_t __stack_chk_guard;
uintptr_t __stack_chk_guard = (uintptr_t)0xB5A17C0DE5EED00DU;
