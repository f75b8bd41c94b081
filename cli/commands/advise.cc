#include <memory>

#include "cli/advise/run.h"
#include "cli/app/command.h"
#include "cli/commands/table_options.h"
#include "common/status/status.h"

namespace sluis::cli {

void AddAdviseCommand(CLI::App& app, Globals& globals) {
  struct Options {
    TableArguments table;
    AdviseCommand command;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("advise", "Which dimension of a table to coarsen before cells are suppressed");
  command->footer(
      "Says of every dimension and level how many cells are sensitive if the table ends there. A coarser table is "
      "part\n"
      "of the finer one: its sensitive cells are those of the cells that it keeps. What secondary suppression costs "
      "is\n"
      "not in the figures. They tell how many cells are sensitive: keep them from readers.\n"
      "Examples:\n"
      "  sluis advise --cells table.csv --dims d1,d2 --hierarchy d1=hier_d1.csv --hierarchy d2=hier_d2.csv\n"
      "  sluis advise --microdata micro.csv --dims region,nace --hierarchy region=nuts.csv --hierarchy nace=nace.hrc "
      "\\\n"
      "    --value turnover --holding group --rules p-percent.yaml --summary advice.json\n"
      "Exit codes beside those of all commands: 4 the table has an error.");
  AddTableOptions(*command, options->table);
  command->add_option("--summary", options->command.summary, "File for the figures (JSON)");
  OnRunWithCode(command, globals, [command, options, &globals]() -> absl::StatusOr<int> {
    AdviseCommand resolved = options->command;
    SLUIS_RETURN_IF_ERROR(ResolveTable(*command, options->table, resolved.table, resolved.rules));
    if (!resolved.table.system.empty()) {
      return absl::InvalidArgumentError("--system: a generic system has no dimensions that could be coarsened");
    }
    return RunAdvise(resolved, globals.json);
  });
}

}  // namespace sluis::cli
