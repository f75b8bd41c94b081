#include "cli/commands/table_options.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/file/atomic_file.h"
#include "common/status/status.h"
#include "disclosure/server/rule_set_document.h"

namespace sluis::cli {
namespace {

constexpr std::uint64_t kMaxRulesBytes = 1 << 20;

}  // namespace

void AddTableOptions(CLI::App& command, TableArguments& arguments) {
  command.add_option("--cells", arguments.cells, "A table: CSV with every cell, one a record (also .gz, .zst)");
  command.add_option("--linked", arguments.linked, "A further table over the same codes, protected together with it")
      ->allow_extra_args(false);
  command.add_option("--dims", arguments.dimensions, "The columns with the codes, as d1,d2,d3");
  command
      .add_option(
          "--hierarchy", arguments.hierarchies,
          "d1=FILE: the hierarchy of a dimension, as `@@;code`, parent-child CSV, indented list or .hrc; again for "
          "a further grouping of the same codes; d1=none: nothing adds up in it")
      ->allow_extra_args(false);
  command.add_option("--total", arguments.total, "The code of the total where no hierarchy names it")
      ->capture_default_str();
  command.add_option("--system", arguments.system,
                     "A generic system instead: a folder with cells.csv and rows.csv, or a file in JJ format");
  command.add_option("--microdata", arguments.microdata,
                     "Records instead, to be tabulated: CSV with codes and --value; needs --rules");
  command.add_option("--holding", arguments.holding, "With --microdata: column whose equal fields are one contributor");
  command.add_option("--weight", arguments.weight, "With --microdata: column of sampling weights, 1 and more");
  command.add_option("--rules", arguments.rules, "Rule set (YAML) that says which cells are sensitive");
  command.add_option("--contributors", arguments.contributors,
                     "Without --rules (which say it themselves): contributors are attackers too, who know the cells "
                     "that they make up alone; `level`: levels hold against them, `exact`: they can compute no "
                     "sensitive cell exactly; needs the numbers of contributors");
  command.add_option("--coalition", arguments.coalition, "With --contributors: so many tell each other, 1 to 3")
      ->capture_default_str();
  command.add_option("--contributor-column", arguments.columns.contributor.name,
                     "Column that names the contributors of cells with few of them, separated by |; without it, or "
                     "where it is empty, every such cell has contributors of its own");
  const auto column = [&command](const char* option, ColumnName& name, const char* what) {
    command.add_option(option, name.name, what)->capture_default_str();
  };
  column("--value,--value-column", arguments.columns.value, "Values: whole numbers, 0 to 2^50");
  column("--n-column", arguments.columns.contributors, "Numbers of contributors");
  column("--top1-column", arguments.columns.largest, "Largest contributions");
  column("--top2-column", arguments.columns.second, "Second largest contributions");
  column("--primary-column", arguments.columns.primary, "1: sensitive; without --rules");
  column("--lower-column", arguments.columns.lower, "Lower protection levels");
  column("--upper-column", arguments.columns.upper, "Upper protection levels");
}

absl::Status ResolveTable(const CLI::App& command, const TableArguments& arguments, TableFiles& files,
                          std::optional<disclosure::RuleSet>& rules) {
  if (!arguments.cells.empty()) files.cells.push_back(arguments.cells);
  if (files.cells.empty() && !arguments.linked.empty()) {
    return absl::InvalidArgumentError("--linked is for tables beside the one of --cells: name that first");
  }
  files.cells.insert(files.cells.end(), arguments.linked.begin(), arguments.linked.end());
  for (std::string_view rest = arguments.dimensions; !rest.empty();) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    files.dimensions.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  for (const std::string& text : arguments.hierarchies) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--hierarchy ", text, ": a dimension and a file are expected, as d1=FILE"));
    }
    files.hierarchies.push_back({.dimension = text.substr(0, equals), .path = text.substr(equals + 1)});
  }
  files.total_code = arguments.total;
  if (!arguments.contributors.empty()) {
    if (arguments.contributors != "level" && arguments.contributors != "exact") {
      return absl::InvalidArgumentError("--contributors: level or exact is expected");
    }
    if (!arguments.rules.empty()) {
      return absl::InvalidArgumentError("--contributors is for tables without --rules: those say it by `contributors`");
    }
    if (arguments.coalition < 1 || arguments.coalition > disclosure::kMaxCoalition) {
      return absl::InvalidArgumentError("--coalition: 1 to 3 is expected");
    }
    files.contributors = disclosure::ContributorRule{.protection = arguments.contributors == "level"
                                                                       ? disclosure::ContributorProtection::kLevel
                                                                       : disclosure::ContributorProtection::kExact,
                                                     .coalition = arguments.coalition};
  }
  files.system = arguments.system;
  files.columns = arguments.columns;
  files.microdata = arguments.microdata;
  files.rules = arguments.rules;
  files.holding_column = arguments.holding;
  files.weight_column = arguments.weight;
  if (arguments.microdata.empty() && !(arguments.holding.empty() && arguments.weight.empty())) {
    return absl::InvalidArgumentError("--holding and --weight are for --microdata");
  }
  if (!arguments.microdata.empty() && arguments.rules.empty() && !arguments.rules_optional) {
    return absl::InvalidArgumentError("--microdata needs --rules: there is no default for who is sensitive");
  }
  const auto given = [&command](const char* option) { return command.count(option) > 0; };
  files.columns.contributors.required = given("--n-column");
  files.columns.contributor.required = given("--contributor-column");
  files.columns.largest.required = given("--top1-column");
  files.columns.second.required = given("--top2-column");
  files.columns.primary.required = given("--primary-column");
  if (arguments.rules.empty()) return absl::OkStatus();
  if (given("--primary-column") || given("--lower-column") || given("--upper-column")) {
    return absl::InvalidArgumentError("--rules and columns of protection levels: one of the two");
  }
  SLUIS_ASSIGN_OR_RETURN(const std::string text, common::ReadFileBounded(arguments.rules, kMaxRulesBytes));
  auto named = disclosure::ParseRuleSet(text);
  if (!named.ok()) return common::Annotate(named.status(), arguments.rules);
  rules = std::move(named->rules);
  files.contributors = rules->contributors;
  return absl::OkStatus();
}

}  // namespace sluis::cli
