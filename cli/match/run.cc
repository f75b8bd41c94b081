#include "cli/match/run.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iostream>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/app/exit_code.h"
#include "cli/app/progress.h"
#include "cli/app/resources.h"
#include "cli/app/stop_on_interrupt.h"
#include "cli/app/threads.h"
#include "cli/match/entities.h"
#include "cli/match/input.h"
#include "cli/match/links_file.h"
#include "cli/match/plan.h"
#include "cli/match/report.h"
#include "cli/match/review_document.h"
#include "cli/match/work_directory.h"
#include "common/crypto/crypto.h"
#include "common/file/atomic_file.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

using linker::MatchMode;

constexpr std::uint64_t kMaxSchemaBytes = 1 << 20;
constexpr std::uint64_t kMaxPlanBytes = 4 << 20;
constexpr std::uint32_t kFileMode = 0600;  // who is linked with whom is personal data

absl::StatusOr<MatchMode> ParseMode(const std::string& text) {
  for (const MatchMode mode : {MatchMode::kLink, MatchMode::kDedupe, MatchMode::kLinkAndDedupe}) {
    if (text == ModeName(mode)) return mode;
  }
  return absl::InvalidArgumentError("--mode must be link, dedupe or link-and-dedupe");
}

absl::StatusOr<MatchMode> ModeOf(const MatchCommand& command) {
  const std::size_t inputs = command.inputs.size();
  if (command.mode.empty()) return inputs == 1 ? MatchMode::kDedupe : MatchMode::kLink;
  SLUIS_ASSIGN_OR_RETURN(const MatchMode mode, ParseMode(command.mode));
  if (mode == MatchMode::kLink && inputs < 2) {
    return absl::InvalidArgumentError("--mode link needs two inputs or more; one input can be deduplicated");
  }
  return mode;
}

absl::Status CheckCommand(const MatchCommand& command) {
  if (command.inputs.empty()) return absl::InvalidArgumentError("--input is needed, once for each file");
  if (command.schemas.size() != 1 && command.schemas.size() != command.inputs.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--schema is needed once for all inputs or once for each: there are ", command.inputs.size(),
                     " inputs and ", command.schemas.size(), " schemas"));
  }
  SLUIS_RETURN_IF_ERROR(CheckThreads(command.threads));
  if (!command.print_plan && command.out.empty()) {
    return absl::InvalidArgumentError("--out is needed: the file for the links");
  }
  for (const std::string& input : command.inputs) {
    std::error_code error;
    for (const std::string& output : {command.out, command.report, command.review_out}) {
      if (!output.empty() && std::filesystem::equivalent(input, output, error)) {
        return absl::InvalidArgumentError("--out and --report must not name an input: it would be overwritten");
      }
    }
  }
  if (!command.out.empty() && command.out == command.report) {
    return absl::InvalidArgumentError("--out and --report name the same file: name two");
  }
  std::set<std::string> names;
  for (const std::string& path : command.inputs) {
    if (!names.insert(SourceName(path)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("two inputs are called ", SourceName(path),
                       " (the file's name without extension): rename one, since links.csv "
                       "tells sources apart by it"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<common::Schema> ReadSchema(const std::string& path) {
  SLUIS_ASSIGN_OR_RETURN(const std::string text, common::ReadFileBounded(path, kMaxSchemaBytes));
  auto schema = common::Schema::Parse(text, common::SchemaUse::kMatch);
  if (!schema.ok()) return common::Annotate(schema.status(), path);
  return schema;
}

// What writing would find wrong after hours of work, found before. A disk that is full then is not among it.
absl::Status CheckCanWrite(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const std::string directory = folder.empty() ? "." : folder.string();
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) {
    return absl::FailedPreconditionError("cannot write " + path + ": its directory does not exist");
  }
  if (access(directory.c_str(), W_OK | X_OK) != 0) return common::FileError(errno, "write into", directory);
  const std::filesystem::file_status status = std::filesystem::symlink_status(path, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    return absl::FailedPreconditionError("cannot write " + path + ": something else than a regular file is there");
  }
  return absl::OkStatus();
}

absl::StatusOr<Entities> ReadEntitiesFile(const std::string& path) {
  SLUIS_ASSIGN_OR_RETURN(auto bytes, common::OpenFileSource(path));
  return ReadEntities(std::move(bytes), path);
}

class Run {
 public:
  Run(const MatchCommand& command, bool json, bool quiet) : command_(command), json_(json), quiet_(quiet) {}

  absl::StatusOr<int> Match() {
    SLUIS_RETURN_IF_ERROR(CheckCommand(command_));
    SLUIS_ASSIGN_OR_RETURN(report_.mode, ModeOf(command_));
    SLUIS_RETURN_IF_ERROR(Resolve());
    if (command_.print_plan) {
      std::cout << PlanDocument(resolved_.plan);
      PrintWarnings();
      return kExitOk;
    }
    report_.seed = command_.seed;
    report_.threads = ThreadsOf(command_.threads);
    SLUIS_RETURN_IF_ERROR(ReadDecisions());
    for (const std::string& path : {command_.out, command_.report, command_.review_out}) {
      if (!path.empty()) SLUIS_RETURN_IF_ERROR(CheckCanWrite(path));
    }
    if (!command_.truth.empty()) {
      SLUIS_ASSIGN_OR_RETURN(truth_, ReadEntitiesFile(command_.truth));
    }
    if (!command_.work.empty()) {
      SLUIS_ASSIGN_OR_RETURN(work_, WorkDirectory::Open(command_.work));
    }
    SLUIS_ASSIGN_OR_RETURN(const common::SecretBytes key, RunKey());
    SLUIS_ASSIGN_OR_RETURN(const bool good, ReadInputs(key));
    if (!good) return kExitBadData;
    SLUIS_ASSIGN_OR_RETURN(const linker::MatchResult result, MatchInputs(key));
    return Write(result);
  }

 private:
  // Links need the keys of one run only, so that nothing outside it can be compared with its encodings; and of those
  // that are to go on with its work.
  absl::StatusOr<common::SecretBytes> RunKey() const {
    if (command_.seed) {
      return common::SecretBytes::CopyOf(common::Sha256(absl::StrCat("sluis-match-seed-v1 ", *command_.seed)));
    }
    if (work_ != nullptr) return work_->Key();
    return common::SecretBytes::Random(32);
  }

  absl::Status Resolve() {
    std::vector<std::string> assumed;
    for (const std::string& path : command_.schemas) {
      SLUIS_ASSIGN_OR_RETURN(common::Schema schema, ReadSchema(path));
      if (schema.roles_assumed) {
        assumed.push_back(path +
                          ": no field but the primary key has an x-role: all others are compared; say "
                          "x-role: quasi of those that describe a person, attribute or ignore of the others");
      }
      schemas_.push_back(std::move(schema));
    }
    std::vector<InputSchema> inputs;
    for (std::size_t i = 0; i < command_.inputs.size(); ++i) inputs.push_back({command_.inputs[i], &SchemaOf(i)});
    std::string document;
    if (!command_.plan.empty()) {
      SLUIS_ASSIGN_OR_RETURN(document, common::ReadFileBounded(command_.plan, kMaxPlanBytes));
    }
    SLUIS_ASSIGN_OR_RETURN(resolved_, ResolvePlan(inputs, document));
    report_.warnings = std::move(assumed);
    report_.warnings.insert(report_.warnings.end(), resolved_.warnings.begin(), resolved_.warnings.end());
    return absl::OkStatus();
  }

  absl::Status ReadDecisions() {
    const bool field_level = resolved_.plan.encoding.profile == linker::EncodingProfile::kFieldLevel;
    if (!field_level && !(command_.review_out.empty() && command_.review_in.empty())) {
      return absl::InvalidArgumentError(
          "--review-out and --review-in need a plan with profile: FIELD_LEVEL: record level has no agreement patterns");
    }
    if (command_.review_in.empty()) return absl::OkStatus();
    SLUIS_ASSIGN_OR_RETURN(const std::string document, common::ReadFileBounded(command_.review_in, kMaxPlanBytes));
    SLUIS_ASSIGN_OR_RETURN(review_, ReadReview(document, resolved_.plan, report_.mode));
    report_.review = ReviewJson(review_, resolved_.plan);
    return absl::OkStatus();
  }

  const common::Schema& SchemaOf(std::size_t input) const { return schemas_[schemas_.size() == 1 ? 0 : input]; }

  // Returns false, having printed why, if an input has errors; all are read, so that all can be told.
  absl::StatusOr<bool> ReadInputs(const common::SecretBytes& key) {
    SLUIS_ASSIGN_OR_RETURN(const linker::TokenSeeds seeds,
                           linker::TokenSeeds::FromKey(common::DeriveKey(key, "sluis-match-tokens-v1")));
    bool good = true;
    for (std::size_t i = 0; i < command_.inputs.size(); ++i) {
      const double start = WallSeconds();
      InputOptions options;
      options.name = SourceName(command_.inputs[i]);
      options.schema = &SchemaOf(i);
      options.columns = &resolved_.columns[i];
      options.plan = &resolved_.plan;
      options.seeds = &seeds;
      options.key = &key;
      options.threads = report_.threads;
      Progress progress("read " + options.name, "records", quiet_);
      options.progress = [&](std::uint64_t records) { progress.Update(records, 0); };
      options.cancelled = [this] { return stop_.requested(); };
      SLUIS_ASSIGN_OR_RETURN(Input input, ReadInput(command_.inputs[i], options));
      progress.Update(input.check.records, 0);
      progress.Finish();
      if (!input.check.ok()) {
        std::cout << (json_ ? ToJson(input.check) : ToText(input.check));
        good = false;
      }
      WarnOf(input);
      report_.steps.push_back({"read " + options.name, WallSeconds() - start});
      inputs_.push_back(std::move(input));
    }
    return good;
  }

  void WarnOf(const Input& input) {
    std::vector<std::string>& warnings = report_.warnings;
    const std::string of = input.source.name + ": ";
    if (input.source.records == 0) warnings.push_back(of + "the file has no records");
    const auto undeclared = input.check.warnings.find("COLUMN_UNDECLARED");
    if (undeclared != input.check.warnings.end()) {
      warnings.push_back(absl::StrCat(of, undeclared->second, " columns are not in the schema and not read"));
    }
    for (const FieldReport& field : input.fields) {
      for (const auto& [rule, count] : field.warnings) {
        warnings.push_back(absl::StrCat(of, "field `", field.name, "`: ", count, " values with ", rule,
                                        rule == "IDENTIFIER_ELEVEN_TEST" ? ", not used" : ", used as they stand"));
      }
      if (input.source.records == 0) continue;
      if (field.missing == input.source.records) {
        warnings.push_back(absl::StrCat(of, "field `", field.name, "` has no value in any record"));
      } else if (field.constant && input.source.records > 1) {
        warnings.push_back(absl::StrCat(of, "field `", field.name, "` has the same value wherever it has one"));
      }
    }
  }

  absl::StatusOr<linker::MatchResult> MatchInputs(const common::SecretBytes& key) {
    std::vector<linker::MatchSource> sources;
    for (Input& input : inputs_) sources.push_back(std::move(input.source));
    linker::MatchOptions options;
    options.mode = report_.mode;
    options.threads = report_.threads;
    options.stop = stop_.token();
    options.seconds = WallSeconds;
    options.store = work_.get();
    options.reviews = review_.decisions;
    const common::SecretBytes seed = common::DeriveKey(key, "sluis-match-sampling-v1");
    for (std::size_t i = 0; i < 8; ++i) options.seed = options.seed << 8 | seed.ExposeForUse()[i];
    std::unique_ptr<Progress> progress;
    options.progress = [&](const std::string& step, std::size_t, std::size_t) {
      if (progress) progress->Finish();
      progress = std::make_unique<Progress>(step, "", quiet_);
    };
    absl::StatusOr<linker::MatchResult> result = linker::MatchRecords(sources, resolved_.plan, options);
    // The reports name the sources; their encodings are of no more use.
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      inputs_[i].source.name = std::move(sources[i].name);
      inputs_[i].source.records = sources[i].records;
    }
    if (!result.ok()) return result;
    if (progress) progress->Finish();
    for (const std::string& warning : result->report.warnings) report_.warnings.push_back(warning);
    for (const linker::StepTime& step : result->report.steps) report_.steps.push_back(step);
    return result;
  }

  absl::StatusOr<int> Write(const linker::MatchResult& result) {
    const double start = WallSeconds();
    const std::string links = LinksCsv(inputs_, result.clustering);
    SLUIS_RETURN_IF_ERROR(common::RemoveStaleTemporaries(command_.out));
    SLUIS_RETURN_IF_ERROR(common::WriteFileAtomically(command_.out, links, kFileMode));
    report_.steps.push_back({"write", WallSeconds() - start});
    report_.peak_memory_bytes = PeakMemoryBytes();
    nlohmann::ordered_json json = ReportJson(report_, inputs_, resolved_.plan, result);
    std::string text = ReportText(report_, inputs_, result);
    if (!command_.truth.empty()) {
      SLUIS_ASSIGN_OR_RETURN(const Entities found, ReadEntities(common::MakeMemorySource(links), command_.out));
      SLUIS_ASSIGN_OR_RETURN(const Evaluation evaluation, Evaluate(found, truth_, report_.mode == MatchMode::kDedupe));
      json["evaluation"] = ToJson(evaluation);
      text += ToText(evaluation);
    }
    const std::string report = json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
    if (!command_.report.empty()) {
      SLUIS_RETURN_IF_ERROR(common::RemoveStaleTemporaries(command_.report));
      SLUIS_RETURN_IF_ERROR(common::WriteFileAtomically(command_.report, report, kFileMode));
    }
    if (!command_.review_out.empty()) {
      std::vector<std::string> names;
      for (const Input& input : inputs_) names.push_back(input.source.name);
      SLUIS_RETURN_IF_ERROR(common::RemoveStaleTemporaries(command_.review_out));
      SLUIS_RETURN_IF_ERROR(common::WriteFileAtomically(
          command_.review_out, ReviewDocument(names, resolved_.plan, report_.mode, result.report, review_.decisions),
          kFileMode));
    }
    std::cout << (json_ ? report : text);
    return kExitOk;
  }

  void PrintWarnings() const {
    for (const std::string& warning : report_.warnings) std::cerr << "warning: " << warning << "\n";
  }

  const MatchCommand& command_;
  const bool json_, quiet_;
  StopOnInterrupt stop_;
  std::unique_ptr<WorkDirectory> work_;
  std::vector<common::Schema> schemas_;
  ResolvedPlan resolved_;
  Review review_;
  Entities truth_;  // empty without --evaluate
  std::vector<Input> inputs_;
  RunReport report_;
};

// Holds links of an earlier run against a truth.
absl::StatusOr<int> EvaluateLinks(const MatchCommand& command, bool json) {
  if (command.truth.empty()) return absl::InvalidArgumentError("--links is for --evaluate: name the truth");
  if (!command.inputs.empty() || !command.out.empty()) {
    return absl::InvalidArgumentError("--links evaluates links that are there: leave --input and --out out");
  }
  if (!command.mode.empty()) SLUIS_RETURN_IF_ERROR(ParseMode(command.mode).status());
  SLUIS_ASSIGN_OR_RETURN(const Entities truth, ReadEntitiesFile(command.truth));
  SLUIS_ASSIGN_OR_RETURN(const Entities found, ReadEntitiesFile(command.links));
  SLUIS_ASSIGN_OR_RETURN(const Evaluation evaluation, Evaluate(found, truth, command.mode == "dedupe"));
  std::cout << (json ? ToJson(evaluation).dump(2) + "\n" : ToText(evaluation));
  return kExitOk;
}

}  // namespace

absl::StatusOr<int> RunMatch(const MatchCommand& command, bool json, bool quiet) {
  if (!command.links.empty()) return EvaluateLinks(command, json);
  return Run(command, json, quiet).Match();
}

}  // namespace sluis::cli
