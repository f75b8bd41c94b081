#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include "common/status/matchers.h"
#include "linker/kernel/all_pairs.h"
#include "tests/linker/kernel/tables.h"

namespace sluis::linker {
namespace {

using common::testing::StatusIs;
using testing::EmptyTable;

// The processor's flags as the operating system states them: a second opinion on the compiler's runtime.
std::set<std::string> ProcessorFlags() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("flags")) {
      std::istringstream words(line.substr(line.find(':') + 1));
      return {std::istream_iterator<std::string>(words), std::istream_iterator<std::string>()};
    }
  }
  return {};
}

TEST(KernelDispatch, SupportsWhatTheOperatingSystemStates) {
  const std::set<std::string> flags = ProcessorFlags();
  if (flags.empty()) {
    GTEST_SKIP() << "/proc/cpuinfo has no flags line on this machine";
  }
  EXPECT_TRUE(KernelSupported(Kernel::kPortable));
  EXPECT_EQ(KernelSupported(Kernel::kAvx2), flags.contains("avx2") && flags.contains("popcnt"));
  EXPECT_EQ(KernelSupported(Kernel::kAvx512), flags.contains("avx512f") && flags.contains("avx512bw") &&
                                                  flags.contains("avx512vl") && flags.contains("avx512_vpopcntdq"));
}

TEST(KernelDispatch, AutoTakesTheFastestSupported) {
  const Kernel expected = KernelSupported(Kernel::kAvx512) ? Kernel::kAvx512
                          : KernelSupported(Kernel::kAvx2) ? Kernel::kAvx2
                                                           : Kernel::kPortable;
  const absl::StatusOr<Kernel> resolved = ResolveKernel(Kernel::kAuto);
  SLUIS_ASSERT_OK(resolved);
  EXPECT_EQ(*resolved, expected);
}

TEST(KernelDispatch, RefusesWhatTheProcessorLacksAndRunsTheRest) {
  const EncodingTable table = EmptyTable(64);
  for (const Kernel kernel : {Kernel::kPortable, Kernel::kAvx2, Kernel::kAvx512}) {
    const absl::StatusOr<Kernel> resolved = ResolveKernel(kernel);
    const auto search = AllPairsAbove(table, table, {1, 2}, [](std::span<const FoundPair>) { return absl::OkStatus(); },
                                      {.kernel = kernel});
    if (KernelSupported(kernel)) {
      SLUIS_ASSERT_OK(resolved);
      EXPECT_EQ(*resolved, kernel);
      SLUIS_EXPECT_OK(search);
    } else {
      EXPECT_THAT(resolved, StatusIs(absl::StatusCode::kFailedPrecondition, "lacks its instructions"));
      EXPECT_THAT(search, StatusIs(absl::StatusCode::kFailedPrecondition, "lacks its instructions"));
    }
  }
}

TEST(KernelDispatch, NamesEveryKernel) {
  EXPECT_EQ(KernelName(Kernel::kAuto), "auto");
  EXPECT_EQ(KernelName(Kernel::kPortable), "portable");
  EXPECT_EQ(KernelName(Kernel::kAvx2), "avx2");
  EXPECT_EQ(KernelName(Kernel::kAvx512), "avx512");
}

}  // namespace
}  // namespace sluis::linker
