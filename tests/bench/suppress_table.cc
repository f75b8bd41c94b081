// Prints one table: for each test instance what Optimise makes of it, and what the judges say.
//
//   suppress_table [--steps N] [--seconds S] [--threads N] [INSTANCE...]
//
// Without names: every instance in the data directory (SLUIS_TEST_DATA, or ../shared/data beside the sources, whose
// place SLUIS_SOURCE_DIR tells). Each runs in a process of its own, so that its peak memory is its own.

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "disclosure/attack/attack.h"
#include "disclosure/optimise/optimise.h"
#include "disclosure/suppress/certificate.h"
#include "tests/disclosure/instances.h"

namespace sluis::disclosure {
namespace {

struct Arguments {
  int64_t steps = 1'000'000;
  double seconds = 1e9;
  int32_t threads = 2;
  std::vector<std::string> names;
};

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

std::string Verdict(const CellSystem& system, const SuppressionResult& result) {
  const auto levels = VerifyLevels(system, result.pattern, {});
  if (!levels.ok()) return "attack failed";
  int64_t exact = 0;
  for (int32_t m = 0; m < static_cast<int32_t>(system.measures.size()); ++m) {
    const auto found = FindExact(Publish(system, m, result.pattern, /*keep_bounds=*/false), {});
    if (!found.ok()) return "attack failed";
    exact += static_cast<int64_t>(found->exact_cells.size());
  }
  const bool proven = CheckCertificate(system, result.pattern, result.certificate).ok();
  return "short " + std::to_string(levels->shortfalls.size()) + ", exact " + std::to_string(exact) +
         (proven ? ", certificate ok" : ", certificate FAILS");
}

int Run(const std::string& name, const Arguments& arguments) {
  const std::filesystem::path directory = testing::InstanceDirectory(name);
  const CellSystem system = std::filesystem::exists(directory / "rows.csv")
                                ? testing::ReadGenericInstance(directory)
                                : testing::ReadHierarchicalInstance(directory);
  const auto start = std::chrono::steady_clock::now();
  const double cpu = CpuSeconds();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  OptimiseOptions options;
  options.max_steps = arguments.steps;
  options.threads = arguments.threads;
  options.stop = [&] { return elapsed() > arguments.seconds; };
  const auto result = Optimise(system, options);
  if (!result.ok()) {
    std::printf("%-18s %s\n", name.c_str(), std::string(result.status().message()).c_str());
    return 1;
  }
  const double wall = elapsed();
  const double used = CpuSeconds() - cpu;
  const SuppressionResult& found = result->suppression;
  const std::string verdict = Verdict(system, found);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double gap = static_cast<double>(found.secondary_cost - result->lower_bound) /
                     static_cast<double>(std::max<int64_t>(1, found.secondary_cost));
  std::printf("%-18s %8d %7ld %7ld %12ld %12ld %6.1f%%%s %8.2f %8.2f %8ld %6ld  %s\n", name.c_str(), system.num_cells,
              static_cast<long>(found.primary_cells), static_cast<long>(found.secondary_cells),
              static_cast<long>(found.secondary_cost), static_cast<long>(result->lower_bound), 100 * gap,
              result->proven_optimal ? "*" : " ", wall, used,
              static_cast<long>(result->linear_programs + found.construct_lps + found.cleanup_lps + found.conceal_lps),
              usage.ru_maxrss / 1024, verdict.c_str());
  return 0;
}

int Main(int count, char** values) {
  Arguments arguments;
  for (int k = 1; k < count; ++k) {
    const std::string argument = values[k];
    const char* next = k + 1 < count ? values[k + 1] : "";
    if (argument == "--steps") {
      arguments.steps = std::atoll(next);
      ++k;
    } else if (argument == "--seconds") {
      arguments.seconds = std::atof(next);
      ++k;
    } else if (argument == "--threads") {
      arguments.threads = std::atoi(next);
      ++k;
    } else {
      arguments.names.push_back(argument);
    }
  }
  const std::filesystem::path all = testing::InstanceDirectory("");
  if (arguments.names.empty() && std::filesystem::exists(all)) {
    for (const auto& entry : std::filesystem::directory_iterator(all)) {
      if (entry.is_directory()) arguments.names.push_back(entry.path().filename());
    }
    std::sort(arguments.names.begin(), arguments.names.end());
  }
  if (arguments.names.empty()) {
    std::fprintf(stderr, "no test data: set SLUIS_TEST_DATA to its directory\n");
    return 2;
  }
  std::printf("%d threads, at most %ld steps and %.0f s each; gcc %s; * proven optimal\n", arguments.threads,
              static_cast<long>(arguments.steps), arguments.seconds, __VERSION__);
  std::printf("%-18s %8s %7s %7s %12s %12s %7s  %8s %8s %8s %6s\n", "instance", "cells", "primary", "second.", "cost",
              "bound", "gap", "wall s", "CPU s", "LPs", "MiB");
  std::fflush(stdout);
  int failed = 0;
  for (const std::string& name : arguments.names) {
    const pid_t child = fork();
    if (child == 0) {
      const int code = Run(name, arguments);
      std::fflush(stdout);
      _exit(code);
    }
    int status = 0;
    waitpid(child, &status, 0);
    failed += WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace sluis::disclosure

int main(int count, char** values) { return sluis::disclosure::Main(count, values); }
