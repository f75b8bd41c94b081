#include "cli/tables/generic_system.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/tables/jj_file.h"
#include "cli/tables/printable.h"
#include "cli/tables/system_builder.h"
#include "common/csv/csv_reader.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

// Records of a CSV file by the names of its columns.
class NamedRecords {
 public:
  explicit NamedRecords(std::string path) : path_(std::move(path)) {}

  absl::Status Open() {
    SLUIS_ASSIGN_OR_RETURN(auto bytes, common::OpenFileSource(path_));
    auto reader = common::CsvReader::Open(std::move(bytes), {});
    if (!reader.ok()) return common::Annotate(reader.status(), path_);
    csv_ = *std::move(reader);
    return absl::OkStatus();
  }

  // -1 if the column is not there and need not be.
  absl::StatusOr<int> Column(std::string_view name, bool required) const {
    const std::vector<std::string>& header = csv_->header();
    const auto count = std::count(header.begin(), header.end(), name);
    if (count > 1 || (required && count == 0)) {
      return absl::InvalidArgumentError(
          absl::StrCat(path_, ": the column ", std::string(name), count > 1 ? " is there twice" : " is missing"));
    }
    return count == 0 ? -1 : static_cast<int>(std::find(header.begin(), header.end(), name) - header.begin());
  }

  absl::StatusOr<bool> Next() {
    auto more = csv_->Next(record_);
    if (!more.ok()) return common::Annotate(more.status(), absl::StrCat(path_, " line ", csv_->line()));
    if (*more && record_.fault != common::RecordFault::kNone) {
      return Error("the record has another number of fields than the header, or is not UTF-8 text");
    }
    return more;
  }

  absl::Status Error(const std::string& what) const {
    return absl::InvalidArgumentError(absl::StrCat(path_, " line ", record_.line, ": ", what));
  }
  std::string_view Field(int column) const { return record_.fields[static_cast<std::size_t>(column)]; }
  absl::StatusOr<std::int64_t> Amount(int column, const std::string& id) const {
    auto amount = ParseAmount(Field(column));
    if (amount.ok()) return amount;
    return Error(absl::StrCat("id ", Printable(id), ", column ", csv_->header()[static_cast<std::size_t>(column)], ": ",
                              std::string(amount.status().message())));
  }
  std::string Where() const { return absl::StrCat(path_, " line ", record_.line); }

 private:
  std::string path_;
  std::unique_ptr<common::CsvReader> csv_;
  common::Record record_;
};

absl::Status ReadCellsCsv(const std::string& path, const ReadCellsOptions& options, SystemBuilder& builder) {
  NamedRecords records(path);
  SLUIS_RETURN_IF_ERROR(records.Open());
  SLUIS_ASSIGN_OR_RETURN(const int id, records.Column("id", true));
  SLUIS_ASSIGN_OR_RETURN(const int value, records.Column("value", true));
  SLUIS_ASSIGN_OR_RETURN(const int value_known, records.Column("value_known", false));
  SLUIS_ASSIGN_OR_RETURN(int primary, records.Column("sensitive", false));
  SLUIS_ASSIGN_OR_RETURN(const int both, records.Column("prot", primary >= 0 && options.levels));
  int lower = -1;
  int upper = -1;
  if (primary < 0) {
    SLUIS_ASSIGN_OR_RETURN(primary, records.Column("primary", false));
    SLUIS_ASSIGN_OR_RETURN(lower, records.Column("lpl", primary >= 0 && options.levels));
    SLUIS_ASSIGN_OR_RETURN(upper, records.Column("upl", primary >= 0 && options.levels));
  }
  builder.with_levels = options.levels && primary >= 0;
  for (;;) {
    SLUIS_ASSIGN_OR_RETURN(const bool more, records.Next());
    if (!more) break;
    SystemBuilder::Cell cell;
    cell.id = std::string(records.Field(id));
    if (cell.id.empty()) return records.Error("column id: an id is expected");
    cell.known = value_known < 0 || records.Field(value_known) != "0";
    if (options.values_may_be_missing && records.Field(value).empty()) cell.known = false;
    if (cell.known) {
      SLUIS_ASSIGN_OR_RETURN(cell.value, records.Amount(value, cell.id));
    }
    if (builder.with_levels) {
      const std::string_view flag = records.Field(primary);
      if (flag != "0" && flag != "1")
        return records.Error(absl::StrCat("id ", Printable(cell.id), ": sensitive must be 0 or 1"));
      cell.primary = flag == "1";
      if (cell.primary && both >= 0) {
        SLUIS_ASSIGN_OR_RETURN(cell.upper, records.Amount(both, cell.id));
        cell.lower = std::min(cell.upper, cell.value);
      } else if (both < 0) {
        SLUIS_ASSIGN_OR_RETURN(cell.lower, records.Amount(lower, cell.id));
        SLUIS_ASSIGN_OR_RETURN(cell.upper, records.Amount(upper, cell.id));
      }
    }
    const std::string id_text = cell.id;
    if (!builder.AddCell(std::move(cell)))
      return records.Error(absl::StrCat("the id ", Printable(id_text), " is there twice"));
  }
  return absl::OkStatus();
}

absl::Status ReadRowsCsv(const std::string& path, SystemBuilder& builder) {
  NamedRecords records(path);
  SLUIS_RETURN_IF_ERROR(records.Open());
  SLUIS_ASSIGN_OR_RETURN(const int row, records.Column("row", true));
  SLUIS_ASSIGN_OR_RETURN(const int cell, records.Column("cell", true));
  SLUIS_ASSIGN_OR_RETURN(const int coefficient, records.Column("coef", true));
  std::unordered_map<std::string, std::size_t> index;
  std::vector<SystemBuilder::Row> rows;
  for (;;) {
    SLUIS_ASSIGN_OR_RETURN(const bool more, records.Next());
    if (!more) break;
    const auto [at, is_new] = index.emplace(std::string(records.Field(row)), rows.size());
    if (is_new) rows.push_back({.name = absl::StrCat(path, ", row ", Printable(at->first)), .terms = {}});
    const std::int32_t found = builder.Find(records.Field(cell));
    if (found < 0) {
      return records.Error(absl::StrCat("row ", Printable(at->first), " names the cell ",
                                        Printable(records.Field(cell)), ", which is not in cells.csv"));
    }
    const std::string_view sign = records.Field(coefficient);
    if (sign != "1" && sign != "-1" && sign != "+1") {
      return records.Error(absl::StrCat("row ", Printable(at->first), ": the coefficient must be 1 or -1"));
    }
    rows[at->second].terms.emplace_back(found, sign == "-1" ? -1 : 1);
  }
  for (const SystemBuilder::Row& one : rows) SLUIS_RETURN_IF_ERROR(builder.AddRow(one));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CellTable> ReadSystem(const std::string& path, const ReadCellsOptions& options) {
  SystemBuilder builder;
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    SLUIS_RETURN_IF_ERROR(ReadCellsCsv((std::filesystem::path(path) / "cells.csv").string(), options, builder));
    SLUIS_RETURN_IF_ERROR(ReadRowsCsv((std::filesystem::path(path) / "rows.csv").string(), builder));
  } else {
    SLUIS_RETURN_IF_ERROR(ReadJjFile(path, options, builder));
  }
  if (builder.size() == 0) return absl::InvalidArgumentError(path + ": there is no cell in it");
  return builder.Finish();
}

}  // namespace sluis::cli
