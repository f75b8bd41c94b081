#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/app/command.h"
#include "cli/app/progress.h"
#include "cli/generate/generate.h"
#include "cli/generate/table.h"
#include "cli/generate/table_shape_text.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

constexpr std::uint64_t kMaxPersons = 80'000'000;

absl::Status MakeFolder(const std::string& path) {
  if (path.empty()) return absl::InvalidArgumentError("--out is needed: a folder, made if absent");
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return absl::PermissionDeniedError(absl::StrCat("the folder ", path, " cannot be made"));
  return absl::OkStatus();
}

absl::Status RunGenerateCountry(const GenerateOptions& options, bool quiet) {
  if (options.persons == 0 || options.persons > kMaxPersons) {
    return absl::InvalidArgumentError("--persons is needed: 1 to 80000000");
  }
  SLUIS_RETURN_IF_ERROR(MakeFolder(options.output_directory));
  Progress progress("generate", "persons", quiet);
  const absl::Status status = GenerateCountry(
      options, [&](std::uint64_t written, std::uint64_t persons) { progress.Update(written, persons); });
  if (status.ok()) progress.Finish();
  return status;
}

absl::Status RunGenerateTable(const GenerateTableOptions& given, const std::string& preset, const CLI::App& command,
                              const Globals& globals) {
  GenerateTableOptions options = given;
  if (!preset.empty()) {
    const TablePreset* found = nullptr;
    for (const TablePreset& one : TablePresets()) {
      if (one.name == preset) found = &one;
    }
    if (found == nullptr) return absl::InvalidArgumentError("--preset: there is none of this name; see --help");
    if (command.count("--shape") == 0) options.shape = std::string(found->shape);
    if (command.count("--records") == 0) options.records = found->records;
    if (command.count("--skew") == 0) options.skew_percent = found->skew_percent;
  }
  if (options.shape.empty() || options.records == 0) {
    return absl::InvalidArgumentError("--shape and --records are needed, or --preset");
  }
  SLUIS_RETURN_IF_ERROR(MakeFolder(options.output_directory));
  Progress progress("generate", "records", globals.quiet);
  const auto made =
      GenerateTable(options, [&](std::uint64_t done, std::uint64_t total) { progress.Update(done, total); });
  if (!made.ok()) return made.status();
  progress.Finish();
  if (globals.json) {
    std::cout << "{\"cells\": " << made->cells << ", \"sensitive_cells\": " << made->sensitive
              << ", \"empty_cells\": " << made->empty << "}\n";
  } else {
    std::cout << made->cells << " cells, " << made->sensitive << " sensitive, " << made->empty << " empty\n";
  }
  return absl::OkStatus();
}

std::string PresetList() {
  std::string text;
  for (const TablePreset& preset : TablePresets()) {
    absl::StrAppend(&text, "  ", std::string(preset.name), ": --shape ", std::string(preset.shape), " --records ",
                    preset.records, " --skew ", preset.skew_percent, "\n");
  }
  return text;
}

void AddTableSubcommand(CLI::App& parent, Globals& globals) {
  struct Options {
    GenerateTableOptions table;
    std::string preset;
    bool no_microdata = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = parent.add_subcommand(
      "table", "Make a business statistic with sensitive cells, for sluis protect and sluis attack");
  command->footer("Writes micro.csv, inner.csv, table.csv and hier_d1.csv, hier_d2.csv ... Presets:\n" + PresetList() +
                  "Example:\n  sluis generate table --shape 4.5x5.5.2 --records 35000 --out small\n"
                  "  sluis generate table --preset hier3d --seed 2 --out hier3d");
  command->add_option("--shape", options->table.shape,
                      "Branches a level, levels parted by . and dimensions by x: 20x50, 4.5x5.5.2");
  command->add_option("--preset", options->preset, "A shape by name");
  command->add_option("--records", options->table.records, "Rows of the microdata");
  command->add_option("--seed", options->table.seed, "The same seed gives the same bytes on every machine")
      ->capture_default_str();
  command
      ->add_option("--skew", options->table.skew_percent,
                   "How unequal the codes are: 100 times the standard deviation of the logarithm of their frequency")
      ->capture_default_str();
  command->add_option("--p", options->table.p_percent, "Percent of the p% rule")->capture_default_str();
  command->add_option("--out", options->table.output_directory, "Folder, made if absent");
  command->add_flag("--no-microdata", options->no_microdata, "Leave micro.csv out");
  command->add_flag("--overwrite", options->table.overwrite, "Replace the files of an earlier run");
  OnRun(command, globals, [command, options, &globals]() -> absl::Status {
    options->table.microdata = !options->no_microdata;
    return RunGenerateTable(options->table, options->preset, *command, globals);
  });
}

}  // namespace

void AddGenerateCommand(CLI::App& app, Globals& globals) {
  auto options = std::make_shared<GenerateOptions>();
  options->seed = 1;
  options->reference_date = "2026-09-30";
  CLI::App* command =
      app.add_subcommand("generate", "Make a synthetic country: a person register and four satellites, with truth");
  command->footer("Example:\n  sluis generate --persons 100000 --seed 1 --out country");
  command->add_option("--persons", options->persons, "Rows of the person register");
  command->add_option("--seed", options->seed, "The same seed gives the same bytes on every machine")
      ->capture_default_str();
  command->add_option("--reference-date", options->reference_date, "Day on which the register is taken")
      ->capture_default_str();
  command->add_option("--out", options->output_directory, "Folder, made if absent");
  command->add_option("--threads", options->threads, "0: one per processor; does not change a byte")
      ->capture_default_str();
  command->add_flag("--overwrite", options->overwrite, "Replace the files of an earlier run");
  AddTableSubcommand(*command, globals);
  command->callback([command, options, &globals] {
    // A subcommand ran already, and its exit code stands.
    if (!command->get_subcommands().empty()) return;
    const absl::Status status = RunGenerateCountry(*options, globals.quiet);
    globals.exit_code = status.ok() ? kExitOk : ReportError(status, globals.json);
  });
}

}  // namespace sluis::cli
