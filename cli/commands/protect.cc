#include "cli/protect/run.h"

#include <memory>

#include "cli/app/command.h"
#include "cli/app/threads.h"
#include "cli/commands/table_options.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

constexpr std::int64_t kMaxEffort = 1'000'000'000'000'000;

}  // namespace

void AddProtectCommand(CLI::App& app, Globals& globals) {
  struct Options {
    TableArguments table;
    ProtectCommand command;
    double time_limit = 0;
    std::int64_t effort = 0;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "protect", "Suppress cells of tables so that no sensitive one can be estimated, without any service");
  command->footer(
      "The pattern has the columns of the codes (or id), then primary,supp as 0 or 1. It is written only after it "
      "withstood\n"
      "an attack (`sluis attack`). The certificate proves it by addition alone; it reveals values: keep it from "
      "readers.\n"
      "Examples:\n"
      "  sluis protect --cells table.csv --dims d1,d2 --hierarchy d1=hier_d1.csv --hierarchy d2=hier_d2.csv \\\n"
      "    --out pattern.csv --certificate cert.bin --summary summary.json\n"
      "  sluis protect --cells sales.csv --dims region,nace --hierarchy region=nuts.csv --hierarchy nace=nace.hrc \\\n"
      "    --rules p-percent.yaml --cost frequency --time-limit 60 --out pattern.csv\n"
      "  sluis protect --microdata micro.csv --dims region,nace --hierarchy region=nuts.csv --hierarchy nace=nace.hrc "
      "\\\n"
      "    --value turnover --holding group --rules p-percent.yaml --out pattern.csv\n"
      "  sluis protect --system two5in6 --out pattern.csv\n"
      "Exit codes beside those of all commands: 4 the table has an error, 3 it cannot be protected, 6 the pattern did "
      "not\n"
      "withstand the attack (a fault of Sluis; nothing is written). Suppressed cells that are not sensitive and can "
      "be\n"
      "recomputed whatever else is suppressed are a warning, and counted in the summary (audit, exact_cells).");
  AddTableOptions(*command, options->table);
  command->add_option("--cost", options->command.cost, "What suppression loses: value, unit, frequency or log")
      ->capture_default_str();
  command->add_option("--cost-column", options->table.columns.cost.name, "Column with the cost of each cell instead");
  command->add_option("--status-column", options->table.columns.status.name,
                      "Column with `publish` or `suppress` where a cell must be");
  command->add_option("--time-limit", options->time_limit, "Seconds; then the best safe pattern found so far is taken");
  command
      ->add_option("--effort", options->effort,
                   "Work in steps (simplex iterations): the same steps give the same pattern on every machine; 0: "
                   "the first safe pattern; default 2000000, or as many as the time limit allows")
      ->check(CLI::Range(std::int64_t{0}, kMaxEffort));
  command->add_option("--threads", options->command.threads, "0: one per processor; does not change the pattern")
      ->check(CLI::Range(0U, kMaxThreads));
  command->add_option("--out", options->command.out, "File for the pattern; written whole or not at all");
  command->add_option("--certificate", options->command.certificate, "File for the certificate");
  command->add_option("--summary", options->command.summary, "File for counts, bound, times and verdict (JSON)");
  OnRunWithCode(command, globals, [command, options, &globals]() -> absl::StatusOr<int> {
    ProtectCommand resolved = options->command;
    options->table.columns.cost.required = options->table.columns.status.required = true;
    if (command->count("--effort") > 0) resolved.effort = options->effort;
    if (command->count("--time-limit") > 0) resolved.time_limit_seconds = options->time_limit;
    SLUIS_RETURN_IF_ERROR(ResolveTable(*command, options->table, resolved.table, resolved.rules));
    return RunProtect(resolved, globals.json, globals.quiet);
  });
}

}  // namespace sluis::cli
