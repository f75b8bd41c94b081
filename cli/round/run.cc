#include "cli/round/run.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/app/exit_code.h"
#include "cli/app/resources.h"
#include "cli/tables/input_files.h"
#include "cli/tables/make_system.h"
#include "cli/tables/pattern_file.h"
#include "common/bytes/secret.h"
#include "common/file/atomic_file.h"
#include "common/status/status.h"
#include "disclosure/add_up/add_up.h"
#include "disclosure/perturb/perturb.h"
#include "disclosure/round/controlled.h"
#include "disclosure/round/small_counts.h"

namespace sluis::cli {
namespace {

using disclosure::ControlledRoundingMethod;
using disclosure::ProtectionMethod;

std::size_t Index(std::int64_t i) { return static_cast<std::size_t>(i); }

const char* NameOf(disclosure::RoundingMethod method) {
  switch (method) {
    case disclosure::RoundingMethod::kLinearProgram:
      return "linear program";
    case disclosure::RoundingMethod::kSearch:
      return "branch and cut";
    case disclosure::RoundingMethod::kLeavesOfProgram:
      return "linear program, then leaves";
    case disclosure::RoundingMethod::kLeaves:
      return "leaves";
  }
  return "";
}

// Bytes below which a secret can be guessed, and above which a file is none.
constexpr std::size_t kMinSecretBytes = 16;
constexpr std::uint64_t kMaxSecretBytes = 4'096;

absl::StatusOr<common::SecretBytes> ReadSecret(const std::string& path) {
  if (path.empty()) return absl::InvalidArgumentError("--secret is needed: a file of at least 16 random bytes");
  SLUIS_ASSIGN_OR_RETURN(std::string bytes, common::ReadFileBounded(path, kMaxSecretBytes));
  if (bytes.size() < kMinSecretBytes) {
    return absl::InvalidArgumentError(path + ": a secret has at least 16 bytes; make them at random");
  }
  common::SecretBytes secret = common::SecretBytes::CopyOf(common::AsBytes(bytes));
  common::Wipe(bytes);
  return secret;
}

absl::StatusOr<CellTable> Read(const TableFiles& files) {
  TableFiles without_levels = files;
  without_levels.read.levels = false;
  SLUIS_ASSIGN_OR_RETURN(CellTable table, LoadTable(without_levels));
  for (std::int32_t i = 0; i < table.num_cells; ++i) {
    if (table.known[Index(i)] == 0) return absl::InvalidArgumentError(table.Describe(i) + ": the value is missing");
  }
  const std::int64_t broken = disclosure::FirstBrokenRelation(table.relations, table.value);
  if (broken < 0) return table;
  return absl::InvalidArgumentError(absl::StrCat(table.Describe(table.relations.total[Index(broken)]),
                                                 ": the value is not the sum of its parts, such as ",
                                                 table.Describe(table.relations.parts(broken).front())));
}

struct Rounded {
  std::vector<std::int64_t> value;
  nlohmann::ordered_json facts;
  std::string text;
};

absl::StatusOr<Rounded> RoundControlledTable(const CellTable& table, const ControlledRoundingMethod& method) {
  disclosure::ControlledRoundingOptions options = disclosure::DefaultRounding(method.base);
  options.max_steps = method.max_steps;
  SLUIS_ASSIGN_OR_RETURN(disclosure::ControlledRounding rounding,
                         disclosure::RoundControlled(table.relations, table.value, options));
  const disclosure::RoundingFacts& facts = rounding.facts;
  const auto distance = static_cast<std::int64_t>(facts.total_distance);
  Rounded result{.value = std::move(rounding.value), .facts = {}, .text = {}};
  result.facts = {{"found_by", NameOf(rounding.method)},
                  {"additive", facts.additive},
                  {"zero_restricted", facts.zero_restricted},
                  {"zeros_stay", facts.zeros_stay},
                  {"cells_beyond_nearest_multiples", facts.moved_cells},
                  {"steps_beyond_at_most", facts.max_steps},
                  {"largest_distance", facts.max_distance},
                  {"total_distance", distance}};
  result.facts["distance_bound"] =
      rounding.distance_bound > 0 ? nlohmann::ordered_json(rounding.distance_bound) : nlohmann::ordered_json();
  result.facts["proven_smallest"] = rounding.optimal;
  result.text =
      absl::StrCat("adds up                     yes, checked\nbeyond nearest multiples    ", facts.moved_cells,
                   " cells, by at most ", facts.max_steps, " steps\ntotal distance              ", distance);
  if (rounding.optimal) {
    result.text += ", the smallest there is";
  } else if (rounding.distance_bound > 0) {
    absl::StrAppend(&result.text, ", at least ", rounding.distance_bound);
  }
  result.text += "\n";
  return result;
}

absl::StatusOr<Rounded> RoundSmallCountsOf(const CellTable& table, std::int64_t base) {
  // Auxiliary sums are never published.
  std::vector<std::uint8_t> published(Index(table.num_cells), 0);
  std::fill_n(published.begin(), table.num_named(), 1);
  SLUIS_ASSIGN_OR_RETURN(disclosure::SmallCountRounding rounding,
                         disclosure::RoundSmallCounts(table.relations, table.value, published, {.base = base}));
  Rounded result{.value = std::move(rounding.value), .facts = {}, .text = {}};
  result.facts = {{"additive", true},
                  {"rounded_leaves", rounding.rounded_leaves},
                  {"largest_distance", rounding.max_distance},
                  {"squared_distance", static_cast<std::int64_t>(rounding.squared_distance)}};
  result.text = absl::StrCat("adds up                     yes, checked\nrounded leaves              ",
                             rounding.rounded_leaves, "\nlargest distance            ", rounding.max_distance, "\n");
  return result;
}

// What anyone can tell of the true values of a result that does not add up. Beyond this many cells the attack is left
// out.
constexpr std::int32_t kMaxAttackedCells = 50'000;

absl::StatusOr<nlohmann::ordered_json> CountTold(const CellTable& table, const ProtectionMethod& method,
                                                 const std::vector<std::int64_t>& value) {
  if (table.num_cells > kMaxAttackedCells) return nlohmann::ordered_json();
  disclosure::PublishedTable published{
      .relations = table.relations,
      .published = std::vector<std::uint8_t>(value.size(), 0),
      .value = value,
      .upper_bound = std::vector<std::int64_t>(value.size(), disclosure::kNoUpperBound)};
  std::fill_n(published.published.begin(), table.num_named(), 1);
  SLUIS_ASSIGN_OR_RETURN(const std::vector<std::int32_t> told, disclosure::FindPinned(published, method, 0, {}));
  return nlohmann::ordered_json(told.size());
}

absl::StatusOr<Rounded> DrawValues(const CellTable& table, const ProtectionMethod& method,
                                   const RoundCommand& command) {
  if (table.cell_key.empty()) {
    return absl::InvalidArgumentError(
        "--method " + command.method +
        " draws by the records of each cell: --microdata with --record-id and --secret is needed");
  }
  SLUIS_ASSIGN_OR_RETURN(const common::SecretBytes secret, ReadSecret(command.secret));
  const disclosure::CellDraws source(secret, command.variable);
  const std::vector<std::uint64_t> draws = disclosure::MakeDraws(method, table.cell_key, source);
  SLUIS_ASSIGN_OR_RETURN(const std::optional<disclosure::PerturbationTable> probabilities, disclosure::TableOf(method));
  disclosure::MeasureToPerturb measure{.relations = table.relations,
                                       .value = table.value,
                                       .contributors = table.contributors,
                                       .top_per_cell = table.top_per_cell,
                                       .top = table.top};
  std::vector<std::uint8_t> sensitive;
  if (disclosure::ContributionsNeeded(method) > 0 && command.rules && disclosure::HasPrimaryRule(*command.rules)) {
    SLUIS_ASSIGN_OR_RETURN(const disclosure::CellSystem system, MakeSystem(table, {.rules = command.rules}));
    for (std::int32_t i = 0; i < table.num_cells; ++i) sensitive.push_back(system.IsPrimary(i) ? 1 : 0);
    measure.sensitive = sensitive;
  }
  SLUIS_ASSIGN_OR_RETURN(disclosure::PerturbedValues drawn, disclosure::Perturb(measure, method, draws, probabilities));
  Rounded result{.value = std::move(drawn.value), .facts = {}, .text = {}};
  std::int64_t largest = 0, changed = 0;
  double squared = 0;
  for (std::int32_t i = 0; i < table.num_named(); ++i) {
    const std::int64_t distance = std::abs(result.value[Index(i)] - table.value[Index(i)]);
    largest = std::max(largest, distance);
    changed += distance > 0 ? 1 : 0;
    squared += static_cast<double>(distance) * static_cast<double>(distance);
  }
  SLUIS_ASSIGN_OR_RETURN(const nlohmann::ordered_json told, CountTold(table, method, result.value));
  result.facts = {{"guarantees", disclosure::DescribeMethod(method, 0)},
                  {"additive", false},
                  {"unbiased", true},
                  {"same_records_same_value", true},
                  {"changed_cells", changed},
                  {"largest_distance", largest},
                  {"mean_squared_distance", squared / std::max(table.num_named(), 1)},
                  {"cells_told", told}};
  result.text = absl::StrCat("adds up                     no\nchanged cells               ", changed,
                             "\nlargest distance            ", largest, "\ncells whose true value can be told  ",
                             told.is_null() ? "not looked at, too many cells" : told.dump(), "\n");
  return result;
}

absl::StatusOr<ProtectionMethod> ResolveMethod(const RoundCommand& command) {
  if (command.rules) {
    const auto found = command.rules->methods.find(command.method);
    if (found == command.rules->methods.end()) {
      return absl::InvalidArgumentError("--method: the rule set has no method " + command.method);
    }
    if (command.base != 0) return absl::InvalidArgumentError("--base: the rule set says it");
    return found->second;
  }
  constexpr std::int32_t kSteps = 2;
  ProtectionMethod method;
  if (command.method == "controlled") {
    method = ControlledRoundingMethod{.base = command.base, .max_steps = kSteps};
  } else if (command.method == "small-counts") {
    method = disclosure::SmallCountMethod{.base = command.base};
  } else if (command.method == "random") {
    method = disclosure::RandomRoundingMethod{{{.from = 0, .base = command.base}}};
  } else {
    return absl::InvalidArgumentError(
        "--method: controlled, small-counts or random; others, such as cell keys, by name with --rules");
  }
  absl::Status valid = disclosure::ValidateMethod(method);
  if (!valid.ok()) return common::Annotate(valid, "--base");
  return method;
}

absl::StatusOr<Rounded> Apply(const CellTable& table, const ProtectionMethod& method, const RoundCommand& command) {
  if (const auto* controlled = std::get_if<ControlledRoundingMethod>(&method)) {
    return RoundControlledTable(table, *controlled);
  }
  if (const auto* small = std::get_if<disclosure::SmallCountMethod>(&method)) {
    return RoundSmallCountsOf(table, small->base);
  }
  return DrawValues(table, method, command);
}

std::string ToCsv(const CellTable& table, const std::vector<std::int64_t>& value) {
  std::string csv;
  for (const std::string& column : table.names.columns()) AppendField(csv, column, ',');
  AppendField(csv, table.measure, '\n');
  for (std::int32_t i = 0; i < table.num_named(); ++i) {
    for (const std::string_view field : table.names.Fields(i)) AppendField(csv, field, ',');
    absl::StrAppend(&csv, value[Index(i)], "\n");
  }
  return csv;
}

}  // namespace

absl::StatusOr<int> RunRound(const RoundCommand& command, bool json) {
  SLUIS_ASSIGN_OR_RETURN(const ProtectionMethod method, ResolveMethod(command));
  if (command.out.empty()) return absl::InvalidArgumentError("--out is needed: the file for the rounded table");
  SLUIS_RETURN_IF_ERROR(CheckTableFiles(command.table));
  SLUIS_RETURN_IF_ERROR(CheckOutputs(InputPaths(command.table), {command.out, command.summary}));
  TableFiles files = command.table;
  files.top_contributions = std::max(files.top_contributions, disclosure::ContributionsNeeded(method));
  if (!files.record_id_column.empty()) {
    SLUIS_ASSIGN_OR_RETURN(const common::SecretBytes secret, ReadSecret(command.secret));
    files.record_keys = std::make_shared<const disclosure::RecordKeyMaker>(secret);
  }
  const absl::StatusOr<CellTable> table = Read(files);
  if (!table.ok()) return ReportBadData(table.status(), json);
  auto rounded = Apply(*table, method, command);
  if (!rounded.ok()) return NameCells(rounded.status(), *table);
  SLUIS_RETURN_IF_ERROR(WriteOutput(command.out, ToCsv(*table, rounded->value)));
  nlohmann::ordered_json summary = {{"format", 1}, {"cells", table->num_named()}, {"method", command.method}};
  if (command.base != 0) summary["base"] = command.base;
  summary.update(rounded->facts);
  summary["cpu_seconds"] = CpuSeconds();
  summary["peak_memory_bytes"] = PeakMemoryBytes();
  const std::string text = summary.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (!command.summary.empty()) SLUIS_RETURN_IF_ERROR(WriteOutput(command.summary, text));
  std::cout << (json ? text : absl::StrCat("cells                       ", table->num_named(), "\n", rounded->text));
  return kExitOk;
}

}  // namespace sluis::cli
