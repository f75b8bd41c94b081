#include "cli/attack/contributor.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/tables/cells_file.h"
#include "common/csv/csv_reader.h"
#include "common/status/status.h"

namespace sluis::cli {

absl::StatusOr<std::vector<disclosure::KnownRange>> ReadContributor(const std::string& path, const CellTable& table) {
  SLUIS_ASSIGN_OR_RETURN(auto bytes, common::OpenFileSource(path));
  auto reader = common::CsvReader::Open(std::move(bytes), {});
  if (!reader.ok()) return common::Annotate(reader.status(), path);
  common::CsvReader& csv = **reader;
  std::vector<std::string> wanted = table.names.columns();
  wanted.push_back("value");
  std::vector<std::size_t> columns;
  for (const std::string& name : wanted) {
    const auto at = std::find(csv.header().begin(), csv.header().end(), name);
    if (at == csv.header().end()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": the column ", name, " is missing"));
    }
    columns.push_back(static_cast<std::size_t>(at - csv.header().begin()));
  }
  std::vector<disclosure::KnownRange> known;
  std::vector<std::uint8_t> seen(static_cast<std::size_t>(table.num_named()), 0);
  std::vector<std::string_view> fields(table.names.columns().size());
  for (common::Record record;;) {
    const absl::StatusOr<bool> more = csv.Next(record);
    if (!more.ok()) return common::Annotate(more.status(), absl::StrCat(path, " line ", csv.line()));
    if (!*more) return known;
    const std::string where = absl::StrCat(path, " line ", record.line, ": ");
    if (record.fault != common::RecordFault::kNone) {
      return absl::InvalidArgumentError(
          where + "the record has another number of fields than the header, or is not UTF-8 text");
    }
    for (std::size_t d = 0; d < fields.size(); ++d) fields[d] = record.fields[columns[d]];
    const std::int32_t cell = table.names.Find(fields);
    if (cell < 0) return absl::InvalidArgumentError(where + "the cell is not in the table");
    const std::size_t i = static_cast<std::size_t>(cell);
    if (std::exchange(seen[i], 1) != 0) {
      return absl::InvalidArgumentError(absl::StrCat(where, "the cell ", table.Describe(cell), " is there twice"));
    }
    const absl::StatusOr<std::int64_t> own = ParseAmount(record.fields[columns.back()]);
    if (!own.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, "column value (", table.Describe(cell), "): ", std::string(own.status().message())));
    }
    if (table.known[i] != 0 && *own > table.value[i]) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, "the cell ", table.Describe(cell), ": a share above the cell's value"));
    }
    const bool alone = !table.contributors.empty() && table.contributors[i] == 1 && *own > 0;
    known.push_back({.cell = cell, .low = *own, .high = alone ? *own : disclosure::kNoUpperBound});
  }
}

}  // namespace sluis::cli
