#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "common/rpc/config.h"

namespace sluis::common {

// The command line of a service: `init` makes its keystore and prints its public keys as JSON, `serve` serves until
// SIGTERM.
struct ServiceProgram {
  std::string name;
  std::string description;
  bool with_sealing_key = false;
  std::function<absl::Status(const v1::Service& config)> serve;
  // Adds further subcommands; optional.
  std::function<void(CLI::App& app, absl::Status& status)> extend;
};

// Returns the exit code: 0 done, 1 failed (the reason is on standard error), 2 wrong command line or configuration.
int RunService(int argc, char** argv, const ServiceProgram& program);

}  // namespace sluis::common
