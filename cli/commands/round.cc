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
    std::string record_id;
  };
  auto options = std::make_shared<Options>();
  options->command.variable = "count";
  options->table.rules_optional = true;
  CLI::App* command = app.add_subcommand("round", "Round or perturb a table, without any service");
  command->footer(
      "controlled: every value to a multiple of the base, if possible to one of the two nearest, and zeros stay 0.\n"
      "small-counts: only what makes a published count smaller than the base is changed.\n"
      "random: every count by itself, up or down by chance; unbiased, does not add up; the same records give the same\n"
      "value in every table that is made with the same secret.\n"
      "With --rules the method is one of the rule set's by name: that is how cell keys and graduated bases are "
      "chosen.\n"
      "The summary says which guarantees hold; of what draws, also of how many cells the true value can be told from\n"
      "all others. Rounding hides small counts; it does not keep protection levels: for amounts see `sluis protect`.\n"
      "Do not publish a variable by two methods.\n"
      "Examples:\n"
      "  sluis round --cells table.csv --dims d1,d2 --hierarchy d1=hier_d1.csv --hierarchy d2=hier_d2.csv \\\n"
      "    --value-column n --base 5 --out rounded.csv --summary summary.json\n"
      "  sluis round --method small-counts --cells table.csv --dims d1,d2 --hierarchy d1=h1.csv \\\n"
      "    --hierarchy d2=h2.csv --value-column n --base 3 --out rounded.csv\n"
      "  sluis round --method random --base 3 --microdata persons.csv --record-id id --secret secret.bin \\\n"
      "    --dims region,sex --hierarchy region=nuts.csv --out rounded.csv\n"
      "  sluis round --rules eurostat-census-2021.yaml --method cell-key --microdata persons.csv --record-id id \\\n"
      "    --secret secret.bin --dims region,sex --hierarchy region=nuts.csv --out perturbed.csv\n"
      "Exit codes beside those of all commands: 4 the table has an error, 3 no table that adds up was found.");
  AddTableOptions(*command, options->table);
  command->add_option("--method", options->command.method, "controlled, small-counts, random, or a name in --rules")
      ->capture_default_str();
  command->add_option("--base", options->command.base, "Values become multiples of it; without --rules");
  command->add_option("--record-id", options->record_id,
                      "With --microdata: column with the id of each record, the same in every delivery");
  command->add_option("--secret", options->command.secret,
                      "File of at least 16 random bytes. Who has it and the tables can take the noise away");
  command->add_option("--variable", options->command.variable, "Name of the variable: each has draws of its own")
      ->capture_default_str();
  command->add_option("--out", options->command.out, "File for the rounded table; written whole or not at all");
  command->add_option("--summary", options->command.summary, "File for guarantees and distances (JSON)");
  OnRunWithCode(command, globals, [command, options, &globals]() -> absl::StatusOr<int> {
    RoundCommand resolved = options->command;
    if (options->table.rules.empty() && resolved.base == 0) {
      return absl::InvalidArgumentError("--base is needed, or --rules with a method of that name");
    }
    SLUIS_RETURN_IF_ERROR(ResolveTable(*command, options->table, resolved.table, resolved.rules));
    if (options->record_id.empty() != resolved.secret.empty()) {
      return absl::InvalidArgumentError("--record-id and --secret: both or none");
    }
    if (!options->record_id.empty() && options->table.microdata.empty()) {
      return absl::InvalidArgumentError("--record-id is for --microdata");
    }
    resolved.table.record_id_column = options->record_id;
    resolved.table.count_records = !options->table.microdata.empty() && command->count("--value") == 0;
    return RunRound(resolved, globals.json);
  });
}

}  // namespace sluis::cli
