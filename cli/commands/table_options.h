#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/tables/load_table.h"
#include "disclosure/rules/rules.h"

namespace sluis::cli {

// How `sluis protect` and `sluis attack` are told which table they are about.
struct TableArguments {
  std::string cells;
  std::vector<std::string> linked;
  std::string dimensions;                // d1,d2,d3
  std::vector<std::string> hierarchies;  // d1=FILE
  std::string total = "T";
  std::string system;
  std::string microdata, holding, weight;
  std::string rules;
  bool rules_optional = false;  // microdata without rules are allowed
  std::string contributors;     // level or exact; ""
  std::int32_t coalition = 1;
  ColumnNames columns;
};

void AddTableOptions(CLI::App& command, TableArguments& arguments);

// Turns the arguments into `files` and `rules`. Errors: INVALID_ARGUMENT if one is malformed; those of reading the
// rule set.
[[nodiscard]] absl::Status ResolveTable(const CLI::App& command, const TableArguments& arguments, TableFiles& files,
                                        std::optional<disclosure::RuleSet>& rules);

}  // namespace sluis::cli
