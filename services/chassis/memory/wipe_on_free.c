/*
 * Preloaded before libc: whatever a process frees is zeroed before it can be handed out again.
 *
 * Only the ways out of the heap are replaced; glibc goes on allocating. The whole usable size of a
 * block is wiped, not the size once asked for, because callers may write up to the former. C++'s
 * operator delete, getline, fclose and the like all end in the free() below.
 *
 * glibc's own entry points are called by name, so nothing has to be looked up: the functions are
 * right from the first instruction of the dynamic linker on, and in any thread.
 */
#define _DEFAULT_SOURCE

#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <string.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void __libc_free(void *block);

/* Raised when the promise of this file changes; the guard asks for it to see that it is loaded. */
int batchpix_wipe_on_free_version(void)
{
    return 1;
}

void free(void *block)
{
    if (block == NULL)
        return;
    /* explicit_bzero is memset that the compiler may not drop as a dead store. */
    explicit_bzero(block, malloc_usable_size(block));
    __libc_free(block);
}

/* Copy to a bigger block and wipe the old one: libc's realloc would leave the old bytes behind. */
static void *grow(void *block, size_t usable, size_t size)
{
    void *moved = __libc_malloc(size);

    if (moved == NULL)
        return NULL;
    memcpy(moved, block, usable);
    free(block);
    return moved;
}

void *realloc(void *block, size_t size)
{
    size_t usable;

    if (block == NULL)
        return __libc_malloc(size);
    if (size == 0) {
        free(block);
        return NULL;
    }
    usable = malloc_usable_size(block);
    if (size > usable)
        return grow(block, usable, size);
    /* libc shrinks in place and frees the tail, which therefore must be empty by then. */
    explicit_bzero((char *)block + size, usable - size);
    return __libc_realloc(block, size);
}

void *reallocarray(void *block, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, total);
}
