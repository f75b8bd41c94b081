#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/app/exit_code.h"

namespace sluis::cli {

// What all commands share.
struct Globals {
  bool json = false;   // results and errors as JSON
  bool quiet = false;  // no progress
  int exit_code = kExitOk;
};

// Runs `body` when `command` was given and keeps its exit code.
inline void OnRun(CLI::App* command, Globals& globals, std::function<absl::Status()> body) {
  command->callback([&globals, body = std::move(body)] {
    const absl::Status status = body();
    globals.exit_code = status.ok() ? kExitOk : ReportError(status, globals.json);
  });
}

// As OnRun, for a command with an exit code of its own beside its status.
inline void OnRunWithCode(CLI::App* command, Globals& globals, std::function<absl::StatusOr<int>()> body) {
  command->callback([&globals, body = std::move(body)] {
    const absl::StatusOr<int> code = body();
    globals.exit_code = code.ok() ? *code : ReportError(code.status(), globals.json);
  });
}

// One per command, in cli/commands.
void AddGenerateCommand(CLI::App& app, Globals& globals);
void AddKeyCommand(CLI::App& app, Globals& globals);
void AddPermitCommand(CLI::App& app, Globals& globals);
void AddSubmitCommand(CLI::App& app, Globals& globals);
void AddWithdrawCommands(CLI::App& app, Globals& globals);
void AddLinkCommand(CLI::App& app, Globals& globals);
void AddMatchCommand(CLI::App& app, Globals& globals);
void AddTableCommands(CLI::App& app, Globals& globals);
void AddProtectCommand(CLI::App& app, Globals& globals);
void AddAttackCommand(CLI::App& app, Globals& globals);
void AddAdviseCommand(CLI::App& app, Globals& globals);
void AddRoundCommand(CLI::App& app, Globals& globals);
void AddAuditCommand(CLI::App& app, Globals& globals);

}  // namespace sluis::cli
