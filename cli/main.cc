#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <new>

#include "cli/app/command.h"
#include "common/rpc/grpc_logs.h"
#include "common/rpc/server.h"

int main(int argc, char** argv) {
  sluis::common::HardenProcess();
  sluis::common::RouteGrpcLogs(false);
  CLI::App app{
      "Sluis links registers without anybody seeing both an identity and a value, and lets only protected tables out.\n"
      "Run `sluis COMMAND --help` for options and examples. Exit codes: 0 done, 1 fault of Sluis, 2 wrong command line "
      "or document,\n"
      "3 refused, 4 errors in the extract, 5 unavailable (try again), 6 not verified, 7 quota, disk or memory used up, "
      "8 cancelled."};
  app.set_version_flag("--version", SLUIS_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  sluis::cli::Globals globals;
  app.add_flag("--json", globals.json, "Print results and errors as JSON");
  app.add_flag("-q,--quiet", globals.quiet, "No progress on standard error");
  sluis::cli::AddGenerateCommand(app, globals);
  sluis::cli::AddKeyCommand(app, globals);
  sluis::cli::AddPermitCommand(app, globals);
  sluis::cli::AddSubmitCommand(app, globals);
  sluis::cli::AddWithdrawCommands(app, globals);
  sluis::cli::AddLinkCommand(app, globals);
  sluis::cli::AddMatchCommand(app, globals);
  sluis::cli::AddTableCommands(app, globals);
  sluis::cli::AddAuditCommand(app, globals);
  sluis::cli::AddProtectCommand(app, globals);
  sluis::cli::AddAttackCommand(app, globals);
  sluis::cli::AddAdviseCommand(app, globals);
  sluis::cli::AddRoundCommand(app, globals);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    // Said first: CLI11 would only say that a command is missing.
    if (app.get_subcommands().empty() && !app.remaining().empty()) {
      std::cerr << "there is no command " << app.remaining().front() << "\n";
    }
    const int code = app.exit(e);
    return code == 0 ? sluis::cli::kExitOk : sluis::cli::kExitUsage;
  } catch (const std::bad_alloc&) {
    return sluis::cli::ReportError(
        absl::ResourceExhaustedError("the memory is used up: take a smaller input, or a machine with more of it"),
        globals.json);
  } catch (const std::exception& e) {
    return sluis::cli::ReportError(absl::InternalError(std::string("a fault of Sluis: ") + e.what()), globals.json);
  }
  return globals.exit_code;
}
