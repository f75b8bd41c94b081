#include "cli/tables/microdata.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/tables/name_contributors.h"
#include "common/csv/csv_reader.h"
#include "common/status/status.h"
#include "disclosure/add_up/add_up.h"
#include "disclosure/rules/contributions.h"

namespace sluis::cli {
namespace {

using disclosure::Contribution;
using disclosure::TableShape;

constexpr std::int32_t kMaxCells = 100'000'000;

std::size_t Index(std::int64_t i) { return static_cast<std::size_t>(i); }

// Per code of a dimension: the codes without parts that it is made of, ascending.
std::vector<std::vector<std::int32_t>> LeavesOf(const Dimension& dimension) {
  const std::size_t n = dimension.codes().size();
  std::vector<std::vector<std::int32_t>> leaves(n);
  std::vector<std::vector<std::int32_t>> above(n);
  std::vector<std::uint8_t> is_total = dimension.IsTotal();
  for (const disclosure::CodeSum& sum : dimension.sums()) {
    for (const std::int32_t part : sum.parts) above[Index(part)].push_back(sum.total);
  }
  std::vector<std::int32_t> reached(n, -1);
  std::vector<std::int32_t> open;
  for (std::int32_t leaf = 0; leaf < static_cast<std::int32_t>(n); ++leaf) {
    if (is_total[Index(leaf)] != 0) continue;
    open.assign(1, leaf);
    while (!open.empty()) {
      const std::int32_t code = open.back();
      open.pop_back();
      if (std::exchange(reached[Index(code)], leaf) == leaf) continue;
      leaves[Index(code)].push_back(leaf);
      open.insert(open.end(), above[Index(code)].begin(), above[Index(code)].end());
    }
  }
  return leaves;
}

class Tabulation {
 public:
  Tabulation(const TableFiles& files, std::vector<Dimension> dimensions)
      : files_(files), dimensions_(std::move(dimensions)) {}

  absl::StatusOr<CellTable> Run() {
    SLUIS_RETURN_IF_ERROR(ReadRecords());
    for (Dimension& dimension : dimensions_) {
      if (dimension.has_hierarchy()) continue;
      if (dimension.Find(files_.total_code) >= 0) {
        return absl::InvalidArgumentError(absl::StrCat(files_.microdata, ": records have the code ", files_.total_code,
                                                       " in dimension ", dimension.name(),
                                                       ", which is to be its total: name another with --total"));
      }
      const std::int32_t total = dimension.AddOrFind(files_.total_code);
      dimension.AddTotalOfAll(total);
    }
    SLUIS_ASSIGN_OR_RETURN(const TableShape shape, MakeShape());
    GroupByCell(shape);
    return MakeTable(shape);
  }

 private:
  absl::StatusOr<int> FindColumn(const std::string& name) const {
    if (name.empty()) return -1;
    const std::vector<std::string>& header = csv_->header();
    const auto count = std::count(header.begin(), header.end(), name);
    if (count != 1) {
      return absl::InvalidArgumentError(
          absl::StrCat(files_.microdata, ": the column ", name, count == 0 ? " is missing" : " is there twice"));
    }
    return static_cast<int>(std::find(header.begin(), header.end(), name) - header.begin());
  }

  absl::Status Fault(const common::Record& record, int column, const std::string& what) const {
    return absl::InvalidArgumentError(
        absl::StrCat(files_.microdata, " line ", record.line, ", column ", csv_->header()[Index(column)], ": ", what));
  }

  absl::Status ReadRecords() {
    SLUIS_ASSIGN_OR_RETURN(auto bytes, common::OpenFileSource(files_.microdata));
    auto reader = common::CsvReader::Open(std::move(bytes), {});
    if (!reader.ok()) return common::Annotate(reader.status(), files_.microdata);
    csv_ = *std::move(reader);
    std::vector<int> columns;
    std::vector<std::vector<std::uint8_t>> is_total;
    for (const Dimension& dimension : dimensions_) {
      SLUIS_ASSIGN_OR_RETURN(columns.emplace_back(), FindColumn(dimension.name()));
      is_total.push_back(dimension.IsTotal());
    }
    codes_.resize(dimensions_.size());
    SLUIS_ASSIGN_OR_RETURN(const int value, FindColumn(files_.count_records ? "" : files_.columns.value.name));
    SLUIS_ASSIGN_OR_RETURN(const int record_id, FindColumn(files_.record_id_column));
    std::unordered_set<std::uint64_t> keys;
    SLUIS_ASSIGN_OR_RETURN(const int holding, FindColumn(files_.holding_column));
    SLUIS_ASSIGN_OR_RETURN(const int weight, FindColumn(files_.weight_column));
    std::unordered_map<std::string, std::uint64_t> holdings;
    for (common::Record record;;) {
      const absl::StatusOr<bool> more = csv_->Next(record);
      if (!more.ok()) return common::Annotate(more.status(), absl::StrCat(files_.microdata, " line ", csv_->line()));
      if (!*more) break;
      if (record.fault != common::RecordFault::kNone) {
        return absl::InvalidArgumentError(
            absl::StrCat(files_.microdata, " line ", record.line,
                         ": the record has another number of fields than the header, or is not UTF-8 text"));
      }
      for (std::size_t d = 0; d < dimensions_.size(); ++d) {
        const std::string_view text = record.fields[Index(columns[d])];
        if (text.empty()) return Fault(record, columns[d], "a code is expected");
        std::int32_t code = dimensions_[d].Find(text);
        if (code < 0 && dimensions_[d].has_hierarchy()) {
          return Fault(record, columns[d], "the code is in no hierarchy of this dimension");
        }
        if (code < 0) code = dimensions_[d].AddOrFind(text);
        if (dimensions_[d].has_hierarchy() && is_total[d][Index(code)] != 0) {
          return Fault(record, columns[d], "the code is a total: records have the codes that have no parts");
        }
        codes_[d].push_back(code);
      }
      Contribution contribution;
      contribution.amount = 1;
      if (value >= 0) {
        const absl::StatusOr<std::int64_t> amount = ParseAmount(record.fields[Index(value)]);
        if (!amount.ok()) return Fault(record, value, std::string(amount.status().message()));
        contribution.amount = *amount;
      }
      if (record_id >= 0) {
        const std::string_view id = record.fields[Index(record_id)];
        if (id.empty()) return Fault(record, record_id, "an id is expected");
        record_key_.push_back(files_.record_keys->KeyOf(id));
        if (!keys.insert(record_key_.back()).second) return Fault(record, record_id, "the id stands there twice");
      }
      contribution.holding = records_.size();
      if (holding >= 0) {
        contribution.holding = holdings.emplace(record.fields[Index(holding)], holdings.size()).first->second;
      }
      if (weight >= 0) {
        const absl::StatusOr<std::int64_t> parsed = disclosure::ParseWeight(record.fields[Index(weight)]);
        if (!parsed.ok()) return Fault(record, weight, std::string(parsed.status().message()));
        contribution.weight = *parsed;
      }
      records_.push_back(contribution);
    }
    if (records_.empty()) return absl::InvalidArgumentError(files_.microdata + ": there is no record in it");
    return absl::OkStatus();
  }

  absl::StatusOr<TableShape> MakeShape() const {
    std::vector<disclosure::DimensionSums> sums;
    for (const Dimension& dimension : dimensions_) {
      sums.push_back({.num_codes = static_cast<std::int32_t>(dimension.codes().size()), .sums = dimension.sums()});
    }
    auto shape = TableShape::CreateFromSums(std::move(sums));
    if (!shape.ok() || shape->num_cells() > kMaxCells) {
      return absl::InvalidArgumentError("the table is too large: more than 100,000,000 combinations of codes");
    }
    return shape;
  }

  // Orders the records by the cell of their own codes.
  void GroupByCell(const TableShape& shape) {
    std::vector<std::int32_t> own(records_.size());
    std::vector<std::int32_t> codes(dimensions_.size());
    for (std::size_t r = 0; r < records_.size(); ++r) {
      for (std::size_t d = 0; d < codes.size(); ++d) codes[d] = codes_[d][r];
      own[r] = shape.CellId(codes);
    }
    begin_.assign(Index(shape.num_cells()) + 1, 0);
    for (const std::int32_t cell : own) ++begin_[Index(cell) + 1];
    std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
    std::vector<Contribution> ordered(records_.size());
    std::vector<std::size_t> next(begin_.begin(), begin_.end() - 1);
    for (std::size_t r = 0; r < records_.size(); ++r) ordered[next[Index(own[r])]++] = records_[r];
    records_ = std::move(ordered);
    if (record_key_.empty()) return;
    leaf_key_.assign(Index(shape.num_cells()), 0);
    for (std::size_t r = 0; r < own.size(); ++r) leaf_key_[Index(own[r])] += record_key_[r];
  }

  absl::StatusOr<CellTable> MakeTable(const TableShape& shape) const {
    std::vector<std::vector<std::vector<std::int32_t>>> leaves;
    for (const Dimension& dimension : dimensions_) leaves.push_back(LeavesOf(dimension));
    std::vector<std::int32_t> ids(Index(shape.num_cells()));
    std::iota(ids.begin(), ids.end(), 0);
    std::vector<std::string> names;
    std::vector<std::vector<std::string>> code_names;
    for (const Dimension& dimension : dimensions_) {
      names.push_back(dimension.name());
      code_names.push_back(dimension.codes());
    }
    CellTable table{.names = CellNames(std::move(names), std::move(code_names), shape, std::move(ids)),
                    .measure = files_.count_records ? "n" : files_.columns.value.name};
    disclosure::ContributionOptions options;
    options.top = files_.top_contributions;
    options.weights = !files_.weight_column.empty();
    disclosure::ContributionCollector collector(options);
    KnownContributors known(files_.contributors);
    std::vector<Contribution> records;
    for (std::int32_t cell = 0; cell < shape.num_cells(); ++cell) {
      records.clear();
      Gather(shape, leaves, shape.Codes(cell), 0, records);
      const absl::StatusOr<std::size_t> added = collector.Add(records);
      if (!added.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat("the cell ", table.names.Describe(cell), ": ", std::string(added.status().message())));
      }
      known.Add(cell, records);
    }
    disclosure::CellContributions cells = std::move(collector).Take();
    table.num_cells = shape.num_cells();
    table.relations = shape.BuildRelations();
    table.from_records = true;
    table.contributor = std::move(known).Take();
    table.value = std::move(cells.total);
    table.known.assign(Index(table.num_cells), 1);
    table.contributors = std::move(cells.contributors);
    table.top = std::move(cells.top);
    table.top_weight = std::move(cells.top_weight);
    table.top_per_cell = cells.top_per_cell;
    if (leaf_key_.empty()) return table;
    table.cell_key = leaf_key_;
    SLUIS_ASSIGN_OR_RETURN(const disclosure::AddUpOrder order,
                           disclosure::OrderFromLeaves(table.relations, table.num_cells));
    disclosure::AddUp(table.relations, order, std::span<std::uint64_t>(table.cell_key));
    return table;
  }

  // Appends the records below `codes`, of which those before `d` are leaves already.
  void Gather(const TableShape& shape, const std::vector<std::vector<std::vector<std::int32_t>>>& leaves,
              std::vector<std::int32_t> codes, std::size_t d, std::vector<Contribution>& records) const {
    if (d == codes.size()) {
      const std::size_t cell = Index(shape.CellId(codes));
      records.insert(records.end(), records_.begin() + static_cast<std::ptrdiff_t>(begin_[cell]),
                     records_.begin() + static_cast<std::ptrdiff_t>(begin_[cell + 1]));
      return;
    }
    const std::int32_t code = codes[d];
    for (const std::int32_t leaf : leaves[d][Index(code)]) {
      codes[d] = leaf;
      Gather(shape, leaves, codes, d + 1, records);
    }
  }

  const TableFiles& files_;
  std::vector<Dimension> dimensions_;
  std::unique_ptr<common::CsvReader> csv_;
  std::vector<std::vector<std::int32_t>> codes_;  // per dimension and record, in the order of the file
  std::vector<Contribution> records_;
  std::vector<std::size_t> begin_;         // records of each cell of leaf codes
  std::vector<std::uint64_t> record_key_;  // in the order of the file; empty: none
  std::vector<std::uint64_t> leaf_key_;    // of each cell of leaf codes
};

}  // namespace

absl::StatusOr<CellTable> TabulateMicrodata(const TableFiles& files) {
  SLUIS_ASSIGN_OR_RETURN(std::vector<Dimension> dimensions, LoadDimensions(files));
  return Tabulation(files, std::move(dimensions)).Run();
}

}  // namespace sluis::cli
