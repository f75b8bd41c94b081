#include <memory>

#include "cli/app/command.h"
#include "cli/app/threads.h"
#include "cli/attack/run.h"
#include "cli/commands/table_options.h"
#include "common/status/status.h"

namespace sluis::cli {

void AddAttackCommand(CLI::App& app, Globals& globals) {
  struct Options {
    TableArguments table;
    AttackCommand command;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("attack", "Judge a suppression pattern: what can a reader find out about it?");
  command->footer(
      "Public mode: nothing of a suppressed cell is read. It fails if any can be recomputed exactly. Without --pattern "
      "the\n"
      "cells without a value are the suppressed ones. Auditor mode, where the table has protection levels or there "
      "are\n"
      "--rules: it fails as well if any sensitive cell falls short of its level.\n"
      "Examples:\n"
      "  sluis attack --cells table.csv --dims d1,d2 --hierarchy d1=hier_d1.csv --hierarchy d2=hier_d2.csv \\\n"
      "    --pattern pattern.csv --certificate cert.bin\n"
      "  sluis attack --cells published.csv --dims region,sex --hierarchy region=regions.csv --out intervals.csv\n"
      "Exit codes beside those of all commands: 4 a file has an error, 6 the pattern does not hold.");
  AddTableOptions(*command, options->table);
  command->add_flag("--public", options->command.public_only, "Public mode, also where the table has levels");
  command->add_option(
      "--status-column", options->table.columns.status.name,
      "Column with `publish` or `suppress` that the pattern had to keep to: a certificate proves those too");
  command->add_option("--pattern", options->command.pattern, "File with the columns of the codes (or id) and supp");
  command->add_option("--certificate", options->command.certificate, "Certificate to be checked, by addition alone");
  command->add_option("--contributor", options->command.contributor,
                      "Attack as a contributor: file with the columns of the codes (or id) and value, the own "
                      "contributions; who is alone in a cell (n = 1) knows it");
  command->add_flag("--full", options->command.full, "Find the interval of every suppressed cell, not only verify");
  command->add_option("--out", options->command.out, "File for the intervals; implies --full");
  command->add_option("--summary", options->command.summary, "File for counts, times and verdict (JSON)");
  command->add_option("--threads", options->command.threads, "0: one per processor")
      ->check(CLI::Range(0U, kMaxThreads));
  OnRunWithCode(command, globals, [command, options, &globals]() -> absl::StatusOr<int> {
    AttackCommand resolved = options->command;
    options->table.columns.status.required = true;
    SLUIS_RETURN_IF_ERROR(ResolveTable(*command, options->table, resolved.table, resolved.rules));
    return RunAttack(resolved, globals.json, globals.quiet);
  });
}

}  // namespace sluis::cli
