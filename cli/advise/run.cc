#include "cli/advise/run.h"

#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/app/exit_code.h"
#include "cli/tables/input_files.h"
#include "cli/tables/make_system.h"
#include "cli/tables/pattern_file.h"
#include "common/status/status.h"
#include "disclosure/advise/advise.h"

namespace sluis::cli {
namespace {

using disclosure::Coarsening;
using disclosure::DimensionTree;
using disclosure::RedesignAdvice;
using disclosure::TableFigures;

std::size_t Index(std::int64_t i) { return static_cast<std::size_t>(i); }

// One dimension as a tree: its codes in preorder.
struct CodeTree {
  DimensionTree tree;
  std::vector<std::string> code;  // in the order of the tree
};

absl::StatusOr<CodeTree> TreeOf(const Dimension& dimension) {
  const std::size_t n = dimension.codes().size();
  std::vector<std::int32_t> parent(n, -1);
  std::vector<std::vector<std::int32_t>> children(n);
  for (const disclosure::CodeSum& sum : dimension.sums()) {
    if (!children[Index(sum.total)].empty()) {
      return absl::InvalidArgumentError("dimension " + dimension.name() + ": code " +
                                        dimension.codes()[Index(sum.total)] +
                                        " is the sum of two groupings; give advise one of them");
    }
    for (const std::int32_t part : sum.parts) {
      if (parent[Index(part)] >= 0) {
        return absl::InvalidArgumentError("dimension " + dimension.name() + ": code " + dimension.codes()[Index(part)] +
                                          " is in two groupings; give advise one of them");
      }
      parent[Index(part)] = sum.total;
    }
    children[Index(sum.total)] = sum.parts;
  }
  const std::int32_t total = dimension.Total();
  if (total < 0) {
    return absl::InvalidArgumentError("dimension " + dimension.name() + ": has no total of all its codes");
  }
  CodeTree result;
  std::vector<std::pair<std::int32_t, std::int32_t>> open = {{total, -1}};  // code, place of its parent
  while (!open.empty()) {
    const auto [code, above] = open.back();
    open.pop_back();
    const auto place = static_cast<std::int32_t>(result.code.size());
    result.code.push_back(dimension.codes()[Index(code)]);
    result.tree.parent.push_back(above);
    const std::vector<std::int32_t>& below = children[Index(code)];
    for (std::size_t c = below.size(); c-- > 0;) open.emplace_back(below[c], place);
  }
  return result;
}

absl::StatusOr<RedesignAdvice> Advise(const AdviseCommand& command, std::vector<std::string>& names) {
  TableFiles files = command.table;
  files.read.levels = !command.rules;
  if (command.rules) files.top_contributions = ContributionsNeeded(*command.rules);
  SLUIS_ASSIGN_OR_RETURN(const CellTable table, LoadTable(files));
  SLUIS_ASSIGN_OR_RETURN(const disclosure::CellSystem system, MakeSystem(table, {.rules = command.rules}));
  SLUIS_ASSIGN_OR_RETURN(std::vector<Dimension> dimensions, LoadDimensions(files));
  names = table.names.columns();
  // A dimension without hierarchy is one total and its parts, as the table has them.
  for (Dimension& dimension : dimensions) {
    if (dimension.has_hierarchy()) continue;
    const auto column = std::find(names.begin(), names.end(), dimension.name()) - names.begin();
    for (std::int32_t i = 0; i < table.num_named(); ++i) {
      (void)dimension.AddOrFind(table.names.Fields(i)[Index(column)]);
    }
    const std::int32_t total = dimension.Find(files.total_code);
    if (total >= 0) dimension.AddTotalOfAll(total);
  }
  std::vector<CodeTree> trees;
  std::vector<DimensionTree> shapes;
  for (const Dimension& dimension : dimensions) {
    SLUIS_ASSIGN_OR_RETURN(trees.emplace_back(), TreeOf(dimension));
    shapes.push_back(trees.back().tree);
  }
  SLUIS_ASSIGN_OR_RETURN(const disclosure::TableShape shape, disclosure::TableShape::Create(shapes));
  std::vector<std::uint8_t> primary(Index(shape.num_cells()));
  std::vector<std::int64_t> value(primary.size());
  std::vector<std::string_view> fields(trees.size());
  for (std::int32_t id = 0; id < shape.num_cells(); ++id) {
    const std::vector<std::int32_t> codes = shape.Codes(id);
    for (std::size_t d = 0; d < fields.size(); ++d) fields[d] = trees[d].code[Index(codes[d])];
    const std::int32_t cell = table.names.Find(fields);
    if (cell < 0) {
      return absl::InvalidArgumentError(absl::StrCat("the table lacks a combination of the codes of its dimensions: ",
                                                     "restrict the hierarchies to the codes that it has"));
    }
    primary[Index(id)] = system.IsPrimary(cell) ? 1 : 0;
    value[Index(id)] = system.measures[0].value[Index(cell)];
  }
  return disclosure::AdviseRedesign(shapes, primary, value);
}

nlohmann::ordered_json ToJson(const TableFigures& figures, const std::vector<std::string>& names) {
  nlohmann::ordered_json levels = nlohmann::ordered_json::object();
  for (std::size_t d = 0; d < names.size(); ++d) levels[names[d]] = figures.depth[d];
  return {{"deepest_level", levels},
          {"cells", figures.cells},
          {"filled_cells", figures.filled_cells},
          {"sensitive_cells", figures.primary_cells},
          {"detailed_sensitive_cells", figures.detailed_primary_cells},
          {"detailed_value", figures.detailed_value},
          {"detailed_sensitive_value", figures.detailed_primary_value}};
}

nlohmann::ordered_json ToJson(const std::vector<Coarsening>& list, const std::vector<std::string>& names) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const Coarsening& one : list) {
    nlohmann::ordered_json item = {{"dimension", names[Index(one.dimension)]}};
    item.update(ToJson(one.after, names));
    out.push_back(std::move(item));
  }
  return out;
}

std::string Line(const std::string& what, const TableFigures& figures) {
  return absl::StrCat(what, std::string(what.size() < 36 ? 36 - what.size() : 1, ' '), figures.cells, " cells, ",
                      figures.primary_cells, " sensitive\n");
}

std::string Describe(const Coarsening& one, const std::vector<std::string>& names) {
  return absl::StrCat("  ", names[Index(one.dimension)], " to level ", one.after.depth[Index(one.dimension)]);
}

std::string ToText(const RedesignAdvice& advice, const std::vector<std::string>& names) {
  std::string text = Line("as it is", advice.as_it_is) + "one dimension cut, best first\n";
  for (const Coarsening& one : advice.single) text += Line(Describe(one, names), one.after);
  text += "step by step\n";
  for (const Coarsening& one : advice.path) text += Line(Describe(one, names), one.after);
  return text;
}

}  // namespace

absl::StatusOr<int> RunAdvise(const AdviseCommand& command, bool json) {
  SLUIS_RETURN_IF_ERROR(CheckOutputs(InputPaths(command.table), {command.summary}));
  std::vector<std::string> names;
  const absl::StatusOr<RedesignAdvice> advice = Advise(command, names);
  if (!advice.ok()) return ReportBadData(advice.status(), json);
  const nlohmann::ordered_json out = {{"format", 1},
                                      {"as_it_is", ToJson(advice->as_it_is, names)},
                                      {"single", ToJson(advice->single, names)},
                                      {"path", ToJson(advice->path, names)}};
  const std::string text = out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  if (!command.summary.empty()) SLUIS_RETURN_IF_ERROR(WriteOutput(command.summary, text));
  std::cout << (json ? text : ToText(*advice, names));
  return kExitOk;
}

}  // namespace sluis::cli
