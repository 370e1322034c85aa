// The device's kernels as plain C++: one thread after the other, so that their arithmetic can be
// checked on any machine. Compiled with -DKERNELS="..." and one ENTRY for each of -DENTRIES.

#include <cmath>
#include <cstddef>
#include <utility>

#define __global__
#define __device__

struct Extents {
    unsigned x, y, z;
};
static thread_local Extents blockIdx, threadIdx, blockDim;

#include KERNELS

// As the driver does: each argument lies where its pointer points, in its kernel's own type.
template <typename... Arguments, std::size_t... Index>
static void call(void (*kernel)(Arguments...), void** arguments, std::index_sequence<Index...>) {
    kernel(*static_cast<Arguments*>(arguments[Index])...);
}

template <typename... Arguments>
static int launch(void (*kernel)(Arguments...), const unsigned* grid, const unsigned* block,
                  void** arguments, int count) {
    if (count != static_cast<int>(sizeof...(Arguments))) return -1;
    blockDim = {block[0], block[1], block[2]};
    for (unsigned by = 0; by < grid[1]; ++by)
        for (unsigned bx = 0; bx < grid[0]; ++bx)
            for (unsigned ty = 0; ty < block[1]; ++ty)
                for (unsigned tx = 0; tx < block[0]; ++tx) {
                    blockIdx = {bx, by, 0};
                    threadIdx = {tx, ty, 0};
                    call(kernel, arguments, std::index_sequence_for<Arguments...>{});
                }
    return 0;
}

#define ENTRY(name)                                                                                \
    extern "C" int emulate_##name(const unsigned* grid, const unsigned* block, void** arguments,   \
                                  int count) {                                                     \
        return launch(name, grid, block, arguments, count);                                        \
    }

ENTRIES
