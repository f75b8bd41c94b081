#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "linker/kernel/instruction_set.h"

namespace sluis::linker {

// Which instructions compare encodings. All give the same results.
enum class Kernel {
  kAuto,      // the fastest that this processor and its operating system support
  kPortable,  // C++ only
  kAvx2,      // AVX2 and POPCNT
  kAvx512,    // AVX-512 F, BW, VL and VPOPCNTDQ
};

// Returns the name of `kernel` for reports: "auto", "portable", "avx2" or "avx512".
[[nodiscard]] std::string_view KernelName(Kernel kernel);

// Returns whether this machine can run `kernel`. kAuto and kPortable: always.
[[nodiscard]] bool KernelSupported(Kernel kernel);

// Returns the kernel that `kernel` stands for on this machine: for kAuto the fastest, else itself. Error:
// FAILED_PRECONDITION if this machine cannot run it.
[[nodiscard]] absl::StatusOr<Kernel> ResolveKernel(Kernel kernel);

namespace kernel {

// Returns the inner loops of `kernel`; errors as ResolveKernel. The result lives as long as the program.
[[nodiscard]] absl::StatusOr<const InstructionSet*> SelectInstructionSet(Kernel kernel);

}  // namespace kernel
}  // namespace sluis::linker
