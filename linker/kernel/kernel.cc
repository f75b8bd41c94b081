#include "linker/kernel/kernel.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"

namespace sluis::linker {

std::string_view KernelName(Kernel kernel) {
  switch (kernel) {
    case Kernel::kAuto:
      return "auto";
    case Kernel::kPortable:
      return "portable";
    case Kernel::kAvx2:
      return "avx2";
    case Kernel::kAvx512:
      return "avx512";
  }
  return "unknown";
}

bool KernelSupported(Kernel kernel) {
  switch (kernel) {
    case Kernel::kAuto:
    case Kernel::kPortable:
      return true;
#if defined(__x86_64__)
    // The compiler's runtime also asks whether the operating system saves the wide registers.
    case Kernel::kAvx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
    case Kernel::kAvx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vpopcntdq");
#else
    case Kernel::kAvx2:
    case Kernel::kAvx512:
      return false;
#endif
  }
  return false;
}

absl::StatusOr<Kernel> ResolveKernel(Kernel kernel) {
  if (kernel == Kernel::kAuto) {
    for (const Kernel candidate : {Kernel::kAvx512, Kernel::kAvx2}) {
      if (KernelSupported(candidate)) {
        return candidate;
      }
    }
    return Kernel::kPortable;
  }
  if (!KernelSupported(kernel)) {
    return absl::FailedPreconditionError(absl::StrCat("kernel ", std::string(KernelName(kernel)),
                                                      ": this processor lacks its instructions; choose auto"));
  }
  return kernel;
}

namespace kernel {

absl::StatusOr<const InstructionSet*> SelectInstructionSet(Kernel kernel) {
  SLUIS_ASSIGN_OR_RETURN(const Kernel resolved, ResolveKernel(kernel));
#if defined(__x86_64__)
  if (resolved == Kernel::kAvx512) {
    return &kAvx512Set;
  }
  if (resolved == Kernel::kAvx2) {
    return &kAvx2Set;
  }
#endif
  return &kPortableSet;
}

}  // namespace kernel
}  // namespace sluis::linker
