#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "cli/attack/contributor.h"
#include "cli/tables/generic_system.h"
#include "cli/tables/hierarchy_file.h"
#include "cli/tables/input_files.h"
#include "cli/tables/make_system.h"
#include "cli/tables/pattern_file.h"
#include "disclosure/add_up/add_up.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/targets.h"

namespace sluis::fuzz {
namespace {

using cli::CellTable;
using cli::TableFiles;

// Tables above this many cells are read, but not looked at closely: the fuzzer would lose its time.
constexpr std::int32_t kFewCells = 2'000;

void CheckPatternRoundTrip(const CellTable& table) {
  const auto n = static_cast<std::size_t>(table.num_cells);
  std::vector<std::uint8_t> pattern(n, 1);
  for (std::int32_t i = 0; i < table.num_named(); ++i) pattern[static_cast<std::size_t>(i)] = i % 3 == 0;
  const MemoryFile file(cli::PatternCsv(table.names, pattern, pattern));
  const auto read = cli::ReadPattern(file.path(), table);
  if (!read.ok()) std::fprintf(stderr, "%s\n", read.status().ToString().c_str());
  Require(read.ok() && *read == pattern, "a pattern that was written is read back");
}

// What a reader returns holds together: names lead to their cells, and it either becomes a system that Validate accepts
// or is refused with a clear error.
bool CheckTable(const absl::StatusOr<CellTable>& table, const cli::SystemOptions& options = {}) {
  if (!table.ok()) return Refused(table.status());
  Require(table->num_cells >= table->num_named(), "auxiliary cells come after the named ones");
  Require(table->value.size() == static_cast<std::size_t>(table->num_cells), "one value a cell");
  if (table->num_cells > kFewCells) return true;
  for (std::int32_t i = 0; i < table->num_named(); ++i) {
    Require(table->names.Find(table->names.Fields(i)) == i, "a cell is found by its names");
    Require(!table->Describe(i).empty(), "a cell can be described");
  }
  CheckPatternRoundTrip(*table);
  const auto system = cli::MakeSystem(*table, options);
  if (!system.ok()) return Refused(system.status());
  Require(disclosure::Validate(*system).ok(), "Validate accepts what MakeSystem returns");
  Require(disclosure::FirstBrokenRelation(table->relations, table->value) < 0, "an accepted table adds up");
  return true;
}

// As a file of cells once more; a table of several files then has holes, for which it may be refused.
void CheckCellsRoundTrip(const CellTable& table, TableFiles files) {
  if (table.num_cells > kFewCells || table.num_cells != table.num_named()) return;
  std::string csv;
  for (const std::string& column : table.names.columns()) cli::AppendField(csv, column, ',');
  csv += "value\n";
  for (std::int32_t i = 0; i < table.num_named(); ++i) {
    for (const std::string_view field : table.names.Fields(i)) cli::AppendField(csv, field, ',');
    csv += std::to_string(table.value[static_cast<std::size_t>(i)]) + "\n";
  }
  const MemoryFile file(csv);
  files.cells = {file.path()};
  const auto again = cli::LoadCells(files);
  if (!again.ok()) std::fprintf(stderr, "%s\n", again.status().ToString().c_str());
  Require(again.ok() && again->num_cells == table.num_cells, "a table that was written is read back");
  for (std::int32_t i = 0; i < table.num_named(); ++i) {
    const std::int32_t cell = again->names.Find(table.names.Fields(i));
    Require(cell >= 0 && again->value[static_cast<std::size_t>(cell)] == table.value[static_cast<std::size_t>(i)],
            "a value that was written is read back");
  }
}

bool Hierarchy(std::string_view bytes) {
  const auto file = cli::ParseHierarchy(bytes, "h", "T");
  if (!file.ok()) return Refused(file.status());
  Require(file->line.size() == file->codes.size(), "each code has its line");
  const auto shape = disclosure::TableShape::CreateFromSums(
      {{.num_codes = static_cast<std::int32_t>(file->codes.size()), .sums = file->sums}});
  Require(shape.ok(), "an accepted hierarchy is a forest");
  // The same as parents and children.
  std::vector<std::int32_t> parent(file->codes.size(), -1);
  for (const disclosure::CodeSum& sum : file->sums) {
    for (const std::int32_t part : sum.parts) parent[static_cast<std::size_t>(part)] = sum.total;
  }
  std::string csv = "parent,child\n";
  for (std::size_t c = 0; c < parent.size(); ++c) {
    cli::AppendField(csv, parent[c] < 0 ? "" : file->codes[static_cast<std::size_t>(parent[c])], ',');
    cli::AppendField(csv, file->codes[c], '\n');
  }
  const auto again = cli::ParseHierarchy(csv, "h", "T");
  if (!again.ok()) std::fprintf(stderr, "%s\n", again.status().ToString().c_str());
  Require(again.ok() && again->codes.size() == file->codes.size() && again->sums.size() == file->sums.size(),
          "a hierarchy that was written is read back");
  return true;
}

// Cells; a linked table; hierarchies of d1 and d2; a second hierarchy of d1. Empty parts are left out.
bool Tables(std::string_view bytes) {
  const std::vector<std::string> parts = Sections(bytes, 5);
  std::vector<std::unique_ptr<MemoryFile>> held;
  const auto path = [&held](const std::string& text) {
    return held.emplace_back(std::make_unique<MemoryFile>(text))->path();
  };
  TableFiles files;
  files.dimensions = {"d1", "d2"};
  files.columns.cost = {"cost", false};
  files.columns.status = {"status", false};
  files.columns.contributor = {"who", false};
  files.read.values_may_be_missing = bytes.size() % 2 == 1;
  files.cells.push_back(path(parts[0]));
  if (!parts[1].empty()) files.cells.push_back(path(parts[1]));
  if (!parts[2].empty()) files.hierarchies.push_back({"d1", path(parts[2])});
  if (!parts[3].empty()) files.hierarchies.push_back({"d2", path(parts[3])});
  if (!parts[4].empty()) files.hierarchies.push_back({"d1", path(parts[4])});
  const auto table = cli::LoadCells(files);
  const bool accepted = CheckTable(table);
  if (table.ok() && files.cells.size() == 1) {
    const bool all_known =
        std::all_of(table->known.begin(), table->known.end(), [](std::uint8_t known) { return known != 0; });
    if (all_known) CheckCellsRoundTrip(*table, files);
  }
  return accepted;
}

// Records; a hierarchy of d1.
bool Microdata(std::string_view bytes) {
  const std::vector<std::string> parts = Sections(bytes, 2);
  const MemoryFile records(parts[0]);
  const MemoryFile hierarchy(parts[1]);
  TableFiles files;
  files.dimensions = {"d1", "d2"};
  files.microdata = records.path();
  if (!parts[1].empty()) files.hierarchies.push_back({"d1", hierarchy.path()});
  files.hierarchies.push_back({"d2", "none"});
  if (bytes.find("holding") != std::string_view::npos) files.holding_column = "holding";
  if (bytes.find("weight") != std::string_view::npos) files.weight_column = "weight";
  cli::SystemOptions options;
  options.rules.emplace();
  options.rules->p_percent = disclosure::PPercentRule{.p = 10};
  options.rules->minimum_frequency =
      disclosure::MinimumFrequencyRule{.threshold = 3, .count_range = 2, .amount_range_percent = 10, .amount_range = 1};
  return CheckTable(cli::LoadTable(files), options);
}

bool JjFile(std::string_view bytes) {
  const MemoryFile file(bytes);
  return CheckTable(cli::ReadSystem(file.path(), {}));
}

// cells.csv and rows.csv.
bool GenericSystem(std::string_view bytes) {
  static const Folder folder;
  const std::vector<std::string> parts = Sections(bytes, 2);
  folder.Put("cells.csv", parts[0]);
  folder.Put("rows.csv", parts[1]);
  return CheckTable(cli::ReadSystem(folder.path(), {.values_may_be_missing = bytes.size() % 2 == 1}));
}

// A table of three regions by two sexes, for what names its cells.
const CellTable& SmallTable() {
  static const CellTable table = [] {
    const MemoryFile cells(
        "region,sex,n,value,primary,lpl,upl\nT,T,60,60,0,0,0\nT,m,32,32,0,0,0\nT,f,28,28,0,0,0\nA,T,12,12,0,0,0\n"
        "A,m,2,2,1,1,1\nA,f,10,10,0,0,0\nB,T,23,23,0,0,0\nB,m,13,13,0,0,0\nB,f,10,10,0,0,0\nC,T,25,25,0,0,0\n"
        "C,m,17,17,0,0,0\nC,f,8,8,0,0,0\n");
    TableFiles files;
    files.cells = {cells.path()};
    files.dimensions = {"region", "sex"};
    return cli::LoadCells(files).value();
  }();
  return table;
}

bool Pattern(std::string_view bytes) {
  const CellTable& table = SmallTable();
  const MemoryFile file(bytes);
  const auto pattern = cli::ReadPattern(file.path(), table);
  if (!pattern.ok()) return Refused(pattern.status());
  Require(pattern->size() == static_cast<std::size_t>(table.num_cells), "one entry a cell");
  for (const std::uint8_t entry : *pattern) Require(entry <= 1, "entries are 0 or 1");
  const MemoryFile written(cli::PatternCsv(table.names, *pattern, *pattern));
  const auto again = cli::ReadPattern(written.path(), table);
  Require(again.ok() && *again == *pattern, "a pattern that was written is read back");
  return true;
}

bool Contributor(std::string_view bytes) {
  const MemoryFile file(bytes);
  const auto known = cli::ReadContributor(file.path(), SmallTable());
  if (!known.ok()) return Refused(known.status());
  for (const disclosure::KnownRange& range : *known) {
    Require(range.cell >= 0 && range.cell < SmallTable().num_named(), "what is known is about a cell of the table");
  }
  return true;
}

constexpr std::array<Target, 7> kTargets = {{{"hierarchy", Hierarchy},
                                             {"tables", Tables},
                                             {"microdata", Microdata},
                                             {"jj", JjFile},
                                             {"generic_system", GenericSystem},
                                             {"pattern", Pattern},
                                             {"contributor", Contributor}}};

}  // namespace

std::span<const Target> TableTargets() { return kTargets; }

}  // namespace sluis::fuzz
