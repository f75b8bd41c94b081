#include <memory>

#include "cli/app/command.h"
#include "cli/commands/table_options.h"
#include "cli/round/run.h"
#include "common/status/status.h"

namespace sluis::cli {

void AddRoundCommand(CLI::App& app, Globals& globals) {
  struct Options {
    TableArguments table;
    RoundCommand command;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("round", "Round a table so that it still adds up, without any service");
  command->footer(
      "controlled: every value to a multiple of the base, if possible to one of the two nearest, and zeros stay 0.\n"
      "small-counts: only what makes a published count smaller than the base is changed.\n"
      "The summary says which guarantees hold; additivity is checked before anything is written. Rounding hides small\n"
      "counts; it does not keep protection levels: for amounts see `sluis protect`. Do not publish a variable by "
      "both.\n"
      "Examples:\n"
      "  sluis round --cells table.csv --dims d1,d2 --hierarchy d1=hier_d1.csv --hierarchy d2=hier_d2.csv \\\n"
      "    --value-column n --base 5 --out rounded.csv --summary summary.json\n"
      "  sluis round --method small-counts --cells table.csv --dims d1,d2 --hierarchy d1=h1.csv \\\n"
      "    --hierarchy d2=h2.csv --value-column n --base 3 --out rounded.csv\n"
      "Exit codes beside those of all commands: 4 the table has an error.");
  AddTableOptions(*command, options->table);
  command->add_option("--method", options->command.method, "controlled or small-counts")->capture_default_str();
  command->add_option("--base", options->command.base, "Values become multiples of it")->required();
  command->add_option("--out", options->command.out, "File for the rounded table; written whole or not at all");
  command->add_option("--summary", options->command.summary, "File for guarantees and distances (JSON)");
  OnRunWithCode(command, globals, [command, options, &globals]() -> absl::StatusOr<int> {
    RoundCommand resolved = options->command;
    std::optional<disclosure::RuleSet> rules;
    if (!options->table.rules.empty()) {
      return absl::InvalidArgumentError("--rules: rounding treats all cells alike");
    }
    SLUIS_RETURN_IF_ERROR(ResolveTable(*command, options->table, resolved.table, rules));
    return RunRound(resolved, globals.json);
  });
}

}  // namespace sluis::cli
