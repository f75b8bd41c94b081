#include "cli/tables/load_table.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/tables/name_contributors.h"
#include "common/csv/byte_source.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

using disclosure::TableShape;

constexpr std::size_t kMaxHierarchyMebibytes = 1024;
constexpr std::size_t kMaxDimensions = 16;
constexpr char kNoHierarchy[] = "none";  // in the place of a file: nothing adds up in this dimension

std::size_t Index(std::int64_t i) { return static_cast<std::size_t>(i); }

// Joins the files' records to one table.
class Join {
 public:
  Join(std::vector<CellRows> files, std::vector<Dimension> dimensions)
      : files_(std::move(files)), dimensions_(std::move(dimensions)) {}

  absl::StatusOr<CellTable> Run(const TableFiles& arguments) {
    for (CellRows& file : files_) SLUIS_RETURN_IF_ERROR(FillAbsentDimensions(file));
    SLUIS_RETURN_IF_ERROR(SameColumns());
    RestrictCodes();
    SLUIS_RETURN_IF_ERROR(MakeShape());
    std::vector<Place> places;
    for (std::size_t f = 0; f < files_.size(); ++f) SLUIS_RETURN_IF_ERROR(PlaceRows(f, places));
    std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
      return a.id != b.id ? a.id < b.id : (a.file != b.file ? a.file < b.file : a.row < b.row);
    });
    return Merge(places, arguments.columns.value.name);
  }

 private:
  struct Place {
    std::int32_t id = 0;
    std::uint32_t file = 0;
    std::uint32_t row = 0;
  };

  absl::Status FillAbsentDimensions(CellRows& file) const {
    for (std::size_t d = 0; d < dimensions_.size(); ++d) {
      if (!file.code[d].empty()) continue;
      const std::int32_t total = dimensions_[d].Total();
      if (files_.size() == 1 || total < 0) {
        return absl::InvalidArgumentError(
            absl::StrCat(file.path, ": the column ", dimensions_[d].name(), " is missing",
                         files_.size() == 1 ? "" : ", and its hierarchies have no single total to stand for it"));
      }
      file.code[d].assign(file.size(), total);
    }
    return absl::OkStatus();
  }

  absl::Status SameColumns() const {
    const CellRows& first = files_.front();
    for (const CellRows& file : files_) {
      if (first.contributors.empty() != file.contributors.empty() || first.largest.empty() != file.largest.empty() ||
          first.second.empty() != file.second.empty() || first.primary.empty() != file.primary.empty() ||
          first.cost.empty() != file.cost.empty() || first.status.empty() != file.status.empty() ||
          first.contributor.empty() != file.contributor.empty()) {
        return absl::InvalidArgumentError(absl::StrCat(file.path, ": has other columns beside the value than ",
                                                       first.path, ": linked tables need the same"));
      }
    }
    return absl::OkStatus();
  }

  void RestrictCodes() {
    for (std::size_t d = 0; d < dimensions_.size(); ++d) {
      std::vector<std::uint8_t> used(dimensions_[d].codes().size(), 0);
      for (const CellRows& file : files_) {
        for (const std::int32_t code : file.code[d]) used[Index(code)] = 1;
      }
      const std::vector<std::int32_t> renumbered = dimensions_[d].Restrict(used);
      for (CellRows& file : files_) {
        for (std::int32_t& code : file.code[d]) code = renumbered[Index(code)];
      }
    }
  }

  absl::Status MakeShape() {
    std::vector<disclosure::DimensionSums> sums;
    for (const Dimension& dimension : dimensions_) {
      sums.push_back({.num_codes = static_cast<std::int32_t>(dimension.codes().size()), .sums = dimension.sums()});
      names_.push_back(dimension.name());
      codes_.push_back(dimension.codes());
    }
    auto shape = TableShape::CreateFromSums(std::move(sums));
    if (!shape.ok()) {
      return absl::InvalidArgumentError(
          "the tables are too large: the dimensions' codes have more than 2^31 - 1 combinations; protect them in parts "
          "or with fewer codes");
    }
    shape_.push_back(*std::move(shape));
    return absl::OkStatus();
  }

  std::string Describe(std::int32_t id) const { return CellNames(names_, codes_, shape_.front(), {}).DescribeId(id); }

  absl::Status PlaceRows(std::size_t f, std::vector<Place>& places) {
    const CellRows& file = files_[f];
    std::vector<Place> own(file.size());
    std::vector<std::int32_t> codes(dimensions_.size());
    for (std::size_t row = 0; row < file.size(); ++row) {
      for (std::size_t d = 0; d < codes.size(); ++d) codes[d] = file.code[d][row];
      own[row] = {.id = shape_.front().CellId(codes),
                  .file = static_cast<std::uint32_t>(f),
                  .row = static_cast<std::uint32_t>(row)};
    }
    std::sort(own.begin(), own.end(),
              [](const Place& a, const Place& b) { return a.id != b.id ? a.id < b.id : a.row < b.row; });
    for (std::size_t k = 1; k < own.size(); ++k) {
      if (own[k].id != own[k - 1].id) continue;
      return absl::InvalidArgumentError(absl::StrCat(file.path, " line ", file.line[own[k].row], ": the cell ",
                                                     Describe(own[k].id), " is there twice, first on line ",
                                                     file.line[own[k - 1].row]));
    }
    SLUIS_RETURN_IF_ERROR(CheckWhole(file, own));
    places.insert(places.end(), own.begin(), own.end());
    return absl::OkStatus();
  }

  // Every combination of the codes that the file uses must be there. `own`: ascending, no id twice.
  absl::Status CheckWhole(const CellRows& file, const std::vector<Place>& own) const {
    std::vector<std::vector<std::int32_t>> used(dimensions_.size());
    std::size_t combinations = 1;
    for (std::size_t d = 0; d < dimensions_.size(); ++d) {
      std::vector<std::uint8_t> seen(dimensions_[d].codes().size(), 0);
      for (const std::int32_t code : file.code[d]) seen[Index(code)] = 1;
      for (std::size_t c = 0; c < seen.size(); ++c) {
        if (seen[c] != 0) used[d].push_back(static_cast<std::int32_t>(c));
      }
      combinations *= used[d].size();  // at most the shape's cells
    }
    if (combinations == own.size()) return absl::OkStatus();
    std::vector<std::size_t> at(used.size(), 0);
    std::vector<std::int32_t> codes(used.size());
    for (std::size_t k = 0;; ++k) {
      for (std::size_t d = 0; d < used.size(); ++d) codes[d] = used[d][at[d]];
      const std::int32_t id = shape_.front().CellId(codes);
      if (k >= own.size() || own[k].id != id) {
        return absl::InvalidArgumentError(absl::StrCat(
            file.path, ": the cell ", Describe(id), " is missing",
            combinations - own.size() == 1 ? "" : absl::StrCat(" (the first of ", combinations - own.size(), ")"),
            ": a file has every combination of its codes, empty cells with value 0"));
      }
      for (std::size_t d = used.size(); d-- > 0;) {
        if (++at[d] < used[d].size()) break;
        at[d] = 0;
      }
    }
  }

  template <typename Value>
  static bool Same(const std::vector<Value>& a, std::size_t i, const std::vector<Value>& b, std::size_t j) {
    return a.empty() || a[i] == b[j];
  }

  // Whether two records about one cell say the same.
  bool Agree(const Place& a, const Place& b) const {
    const CellRows& x = files_[a.file];
    const CellRows& y = files_[b.file];
    const std::size_t i = a.row;
    const std::size_t j = b.row;
    return x.value[i] == y.value[j] && x.known[i] == y.known[j] && Same(x.contributors, i, y.contributors, j) &&
           Same(x.largest, i, y.largest, j) && Same(x.second, i, y.second, j) && Same(x.primary, i, y.primary, j) &&
           Same(x.lower, i, y.lower, j) && Same(x.upper, i, y.upper, j) && Same(x.cost, i, y.cost, j) &&
           Same(x.status, i, y.status, j) && Same(x.contributor, i, y.contributor, j);
  }

  absl::StatusOr<CellTable> Merge(const std::vector<Place>& places, const std::string& measure) {
    std::vector<std::int32_t> ids;
    std::vector<Place> first;
    for (const Place& place : places) {
      if (ids.empty() || ids.back() != place.id) {
        ids.push_back(place.id);
        first.push_back(place);
      } else if (!Agree(first.back(), place)) {
        return absl::InvalidArgumentError(
            absl::StrCat(files_[place.file].path, " line ", files_[place.file].line[place.row],
                         ": says something else about the cell ", Describe(place.id), " than ",
                         files_[first.back().file].path, " line ", files_[first.back().file].line[first.back().row]));
      }
    }
    disclosure::PartialRelations found = shape_.front().BuildRelationsAmong(ids);
    if (found.gap >= 0) {
      return absl::InvalidArgumentError(absl::StrCat("the cell ", Describe(found.gap), " is missing: it is a part of ",
                                                     Describe(found.total_of_gap), ", of which other parts are there"));
    }
    CellTable table{.names = CellNames(names_, codes_, shape_.front(), std::move(ids)),
                    .measure = measure,
                    .relations = std::move(found.relations)};
    table.num_cells = table.names.size();
    const auto take = [&](auto column, auto& to) {
      if ((files_.front().*column).empty()) return;
      to.reserve(first.size());
      for (const Place& place : first) to.push_back((files_[place.file].*column)[place.row]);
    };
    take(&CellRows::value, table.value);
    take(&CellRows::known, table.known);
    take(&CellRows::contributors, table.contributors);
    take(&CellRows::primary, table.primary);
    take(&CellRows::lower, table.lower);
    take(&CellRows::upper, table.upper);
    take(&CellRows::cost, table.cost);
    take(&CellRows::status, table.status);
    std::vector<std::string> contributor;
    take(&CellRows::contributor, contributor);
    SLUIS_RETURN_IF_ERROR(NameContributors(contributor, table));
    table.top_per_cell = files_.front().largest.empty() ? 0 : (files_.front().second.empty() ? 1 : 2);
    for (const Place& place : first) {
      if (table.top_per_cell > 0) table.top.push_back(files_[place.file].largest[place.row]);
      if (table.top_per_cell > 1) table.top.push_back(files_[place.file].second[place.row]);
    }
    return table;
  }

  std::vector<CellRows> files_;
  std::vector<Dimension> dimensions_;
  std::vector<TableShape> shape_;  // one
  std::vector<std::string> names_;
  std::vector<std::vector<std::string>> codes_;
};

}  // namespace

absl::Status CheckDimensions(const TableFiles& files) {
  const std::vector<std::string>& names = files.dimensions;
  if (names.empty()) return absl::InvalidArgumentError("--dims is needed: the columns with the codes, as d1,d2,d3");
  if (names.size() > kMaxDimensions) return absl::InvalidArgumentError("--dims: 16 dimensions at most");
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (name->empty() || std::find(names.begin(), name, *name) != name) {
      return absl::InvalidArgumentError("--dims: names that are not empty and all different are expected");
    }
  }
  for (const HierarchyArgument& hierarchy : files.hierarchies) {
    if (std::find(names.begin(), names.end(), hierarchy.dimension) == names.end()) {
      return absl::InvalidArgumentError(absl::StrCat("--hierarchy ", hierarchy.dimension, "=", hierarchy.path,
                                                     ": --dims does not name this dimension"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Dimension>> LoadDimensions(const TableFiles& files) {
  SLUIS_RETURN_IF_ERROR(CheckDimensions(files));
  std::vector<Dimension> dimensions;
  for (const std::string& name : files.dimensions) dimensions.emplace_back(name);
  for (const HierarchyArgument& hierarchy : files.hierarchies) {
    if (hierarchy.path == kNoHierarchy) continue;
    const auto dimension = std::find_if(dimensions.begin(), dimensions.end(),
                                        [&](const Dimension& d) { return d.name() == hierarchy.dimension; });
    SLUIS_ASSIGN_OR_RETURN(const std::string text, common::ReadWholeFile(hierarchy.path, kMaxHierarchyMebibytes));
    SLUIS_ASSIGN_OR_RETURN(const HierarchyFile file, ParseHierarchy(text, hierarchy.path, files.total_code));
    SLUIS_RETURN_IF_ERROR(dimension->AddHierarchy(file, hierarchy.path));
  }
  return dimensions;
}

absl::StatusOr<CellTable> LoadCells(const TableFiles& files) {
  SLUIS_ASSIGN_OR_RETURN(std::vector<Dimension> dimensions, LoadDimensions(files));
  std::vector<CellRows> rows;
  for (const std::string& path : files.cells) {
    SLUIS_ASSIGN_OR_RETURN(rows.emplace_back(), ReadCells(path, files.columns, files.read, dimensions));
  }
  if (rows.empty()) return absl::InvalidArgumentError("--cells is needed: a file with every cell of the table");
  for (Dimension& dimension : dimensions) {
    if (dimension.has_hierarchy() || dimension.codes().size() <= 1) continue;
    const bool none = std::any_of(files.hierarchies.begin(), files.hierarchies.end(), [&](const HierarchyArgument& h) {
      return h.dimension == dimension.name() && h.path == kNoHierarchy;
    });
    if (none) continue;
    const std::int32_t total = dimension.Find(files.total_code);
    if (total < 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("dimension ", dimension.name(), " has no hierarchy, and no code ", files.total_code,
                       " for a total: give its --hierarchy, the code of its total with --total, or --hierarchy ",
                       dimension.name(), "=none if its codes do not add up to anything"));
    }
    dimension.AddTotalOfAll(total);
  }
  return Join(std::move(rows), std::move(dimensions)).Run(files);
}

}  // namespace sluis::cli
