#include "cli/round/run.h"

#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/app/exit_code.h"
#include "cli/app/resources.h"
#include "cli/tables/input_files.h"
#include "cli/tables/make_system.h"
#include "cli/tables/pattern_file.h"
#include "common/status/status.h"
#include "disclosure/add_up/add_up.h"
#include "disclosure/round/controlled.h"
#include "disclosure/round/small_counts.h"

namespace sluis::cli {
namespace {

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

absl::StatusOr<Rounded> RoundControlledTable(const CellTable& table, std::int64_t base) {
  SLUIS_ASSIGN_OR_RETURN(disclosure::ControlledRounding rounding,
                         disclosure::RoundControlled(table.relations, table.value, disclosure::DefaultRounding(base)));
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
  if (command.method != "controlled" && command.method != "small-counts") {
    return absl::InvalidArgumentError("--method: controlled or small-counts");
  }
  if (command.out.empty()) return absl::InvalidArgumentError("--out is needed: the file for the rounded table");
  SLUIS_RETURN_IF_ERROR(CheckTableFiles(command.table));
  SLUIS_RETURN_IF_ERROR(CheckOutputs(InputPaths(command.table), {command.out, command.summary}));
  const absl::StatusOr<CellTable> table = Read(command.table);
  if (!table.ok()) return ReportBadData(table.status(), json);
  auto rounded = command.method == "controlled" ? RoundControlledTable(*table, command.base)
                                                : RoundSmallCountsOf(*table, command.base);
  if (!rounded.ok()) return NameCells(rounded.status(), *table);
  SLUIS_RETURN_IF_ERROR(WriteOutput(command.out, ToCsv(*table, rounded->value)));
  nlohmann::ordered_json summary = {
      {"format", 1}, {"cells", table->num_named()}, {"method", command.method}, {"base", command.base}};
  summary.update(rounded->facts);
  summary["cpu_seconds"] = CpuSeconds();
  summary["peak_memory_bytes"] = PeakMemoryBytes();
  const std::string text = summary.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (!command.summary.empty()) SLUIS_RETURN_IF_ERROR(WriteOutput(command.summary, text));
  std::cout << (json ? text : absl::StrCat("cells                       ", table->num_named(), "\n", rounded->text));
  return kExitOk;
}

}  // namespace sluis::cli
