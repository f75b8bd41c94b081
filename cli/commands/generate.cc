#include <cstdint>
#include <filesystem>
#include <memory>

#include "absl/strings/str_cat.h"
#include "cli/app/command.h"
#include "cli/app/progress.h"
#include "cli/generate/generate.h"

namespace sluis::cli {

void AddGenerateCommand(CLI::App& app, Globals& globals) {
  auto options = std::make_shared<GenerateOptions>();
  options->seed = 1;
  options->reference_date = "2026-09-30";
  CLI::App* command =
      app.add_subcommand("generate", "Make a synthetic country: a person register and four satellites, with truth");
  command->footer("Example:\n  sluis generate --persons 100000 --seed 1 --out country");
  command->add_option("--persons", options->persons, "Rows of the person register")
      ->required()
      ->check(CLI::Range(1u, 80'000'000u));
  command->add_option("--seed", options->seed, "The same seed gives the same bytes on every machine")
      ->capture_default_str();
  command->add_option("--reference-date", options->reference_date, "Day on which the register is taken")
      ->capture_default_str();
  command->add_option("--out", options->output_directory, "Folder, made if absent")->required();
  command->add_option("--threads", options->threads, "0: one per processor; does not change a byte")
      ->capture_default_str();
  command->add_flag("--overwrite", options->overwrite, "Replace the files of an earlier run");
  OnRun(command, globals, [options, &globals]() -> absl::Status {
    std::error_code error;
    std::filesystem::create_directories(options->output_directory, error);
    if (error)
      return absl::PermissionDeniedError(absl::StrCat("the folder ", options->output_directory, " cannot be made"));
    Progress progress("generate", "persons", globals.quiet);
    const absl::Status status = GenerateCountry(
        *options, [&](std::uint64_t written, std::uint64_t persons) { progress.Update(written, persons); });
    if (status.ok()) progress.Finish();
    return status;
  });
}

}  // namespace sluis::cli
