#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

#include "tests/fuzz/targets.h"

// The program of one target for libFuzzer. SLUIS_FUZZ_GROUP: the function that lists it; SLUIS_FUZZ_TARGET: its name.

namespace {

const sluis::fuzz::Target& Chosen() {
  for (const sluis::fuzz::Target& target : sluis::fuzz::SLUIS_FUZZ_GROUP()) {
    if (target.name == SLUIS_FUZZ_TARGET) return target;
  }
  std::fputs("there is no target " SLUIS_FUZZ_TARGET "\n", stderr);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const sluis::fuzz::Target& target = Chosen();
  target.run({reinterpret_cast<const char*>(data), size});
  return 0;
}
