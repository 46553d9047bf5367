/* SPDX-License-Identifier: ISC */
/* The image's memory functions, under names of their own, for a test on the host. */
#define memcpy  image_memcpy
#define memmove image_memmove
#define memset  image_memset
#define memcmp  image_memcmp
#include "services/runtime/memory.c"
