#include "tests/integration/measured_run.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "gtest/gtest.h"

namespace sluis::testing {

MeasuredOutcome MeasureSluis(const World& world, const std::vector<std::string>& arguments) {
  MeasuredOutcome measured;
  const char* programs = std::getenv("SLUIS_BINARY_DIR");
  if (programs == nullptr) {
    ADD_FAILURE() << "SLUIS_BINARY_DIR is not set; run the test with ctest";
    return measured;
  }
  std::vector<std::string> all = {std::string(programs) + "/sluis", "--quiet"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& argument : all) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const std::string output = world / "output/measured";
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, world.directory().c_str());
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, (output + ".out").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, (output + ".err").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    ADD_FAILURE() << all[0] << " could not be started: error " << error;
    return measured;
  }
  int status = 0;
  rusage usage{};
  EXPECT_EQ(wait4(pid, &status, 0, &usage), pid);
  measured.outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  measured.outcome.out = ReadWhole(output + ".out");
  measured.outcome.err = ReadWhole(output + ".err");
  measured.peak_kib = usage.ru_maxrss;
  return measured;
}

}  // namespace sluis::testing
