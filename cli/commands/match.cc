#include <memory>

#include "cli/app/command.h"
#include "cli/match/run.h"

namespace sluis::cli {

void AddMatchCommand(CLI::App& app, Globals& globals) {
  auto options = std::make_shared<MatchCommand>();
  CLI::App* command = app.add_subcommand(
      "match", "Link CSV files, or find duplicates in them, on this machine and without any service");
  command->footer(
      "Every input record stands in the links once: entity,source,record_id,status. The same seed gives the same "
      "bytes for the same files under the same names; "
      "without one, keys are\n"
      "drawn at random. Encodings made with --seed can be read by anyone who knows it: not for exchange.\n"
      "A truth has the columns entity,source,record_id, as the links; a source is a file's name without extension.\n"
      "Examples:\n"
      "  sluis match --schema persons.schema.yaml --input persons.csv --out links.csv\n"
      "  sluis match --schema a.schema.yaml --schema b.schema.yaml --input a.csv --input b.csv --out links.csv "
      "--report "
      "report.json\n"
      "  sluis match --schema a.schema.yaml --input a.csv --input b.csv --print-plan > plan.yaml\n"
      "  sluis match --schema a.schema.yaml --input a.csv --input b.csv --plan plan.yaml --out links.csv --evaluate "
      "truth.csv\n"
      "  sluis match --links links.csv --evaluate truth.csv");
  // One value a time, so that each --schema and --input names one file.
  command->add_option("--schema", options->schemas, "Table Schema of the inputs: one for all, or one for each in order")
      ->allow_extra_args(false);
  command->add_option("--input", options->inputs, "A CSV file (also .gz, .zst); once for each file")
      ->allow_extra_args(false);
  command->add_option("--plan", options->plan, "How to match (YAML); what it leaves open follows from the schemas");
  command->add_option(
      "--mode", options->mode,
      "link (a person at most once in each file), dedupe, link-and-dedupe; default: dedupe for one input, "
      "else link");
  command->add_option("--out", options->out, "File for the links; written whole or not at all");
  command->add_option("--report", options->report, "File for counts, model and estimates (JSON)");
  command->add_option(
      "--work", options->work,
      "Directory for finished comparisons: a run that was killed goes on, one with a new or changed "
      "file does only what is new. Made if absent; holds a key, row numbers and scores: keep it private");
  command->add_option("--review-out", options->review_out,
                      "File for agreement patterns that are doubtful and that many pairs share, to be decided on; no "
                      "pair, no value (plan with profile: FIELD_LEVEL)");
  command->add_option("--review-in", options->review_in, "Such a file with decisions: they are applied");
  command->add_option("--seed", options->seed, "Makes the run reproducible");
  command->add_option("--threads", options->threads, "At most 1,024; 0: one per processor; does not change the links");
  command->add_option("--evaluate", options->truth, "A truth: print precision, recall and F1 of the links");
  command->add_option("--links", options->links, "With --evaluate: these links, instead of matching");
  command->add_flag("--print-plan", options->print_plan, "Print the plan and do nothing else");
  OnRunWithCode(command, globals, [options, &globals] { return RunMatch(*options, globals.json, globals.quiet); });
}

}  // namespace sluis::cli
