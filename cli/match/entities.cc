#include "cli/match/entities.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/csv/csv_reader.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

constexpr std::array<std::string_view, 3> kColumns = {"entity", "source", "record_id"};

absl::Status At(const std::string& file, std::uint64_t row, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(file, ", row ", row, ": ", std::string(what)));
}

absl::StatusOr<std::array<std::size_t, 3>> FindColumns(const std::vector<std::string>& header,
                                                       const std::string& file) {
  std::array<std::size_t, 3> columns{};
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    const auto count = std::ranges::count(header, kColumns[i]);
    if (count != 1) {
      return At(file, 1,
                absl::StrCat("the column ", std::string(kColumns[i]), count == 0 ? " is missing" : " occurs twice",
                             "; entity, source and record_id are needed, as in links.csv"));
    }
    columns[i] = static_cast<std::size_t>(std::ranges::find(header, kColumns[i]) - header.begin());
  }
  return columns;
}

}  // namespace

absl::StatusOr<Entities> ReadEntities(std::unique_ptr<common::ByteSource> bytes, const std::string& name) {
  auto reader = common::CsvReader::Open(std::move(bytes), {});
  if (!reader.ok()) return common::Annotate(reader.status(), name);
  SLUIS_ASSIGN_OR_RETURN(const auto columns, FindColumns((*reader)->header(), name));
  Entities entities;
  std::unordered_map<std::string, std::uint32_t> numbers;
  for (;;) {
    common::Record record;
    const absl::StatusOr<bool> found = (*reader)->Next(record);
    if (!found.ok()) return common::Annotate(found.status(), absl::StrCat(name, ", row ", (*reader)->row()));
    if (!*found) break;
    if (record.fault != common::RecordFault::kNone) {
      return At(name, record.row, "not a record of valid UTF-8 with as many fields as the header");
    }
    std::array<std::string, 3> values;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      values[i] = record.fields[columns[i]];
      if (values[i].empty()) return At(name, record.row, absl::StrCat(std::string(kColumns[i]), " is empty"));
    }
    if (numbers.size() >= std::numeric_limits<std::uint32_t>::max() - 1) {
      return absl::ResourceExhaustedError(absl::StrCat(name, " has more than 4,294,967,294 entities"));
    }
    const auto number = numbers.emplace(std::move(values[0]), static_cast<std::uint32_t>(numbers.size())).first->second;
    if (!entities.by_source[values[1]].emplace(std::move(values[2]), number).second) {
      return At(name, record.row, "an earlier row names the same record; each record belongs to one entity");
    }
    ++entities.records;
  }
  entities.entities = static_cast<std::uint32_t>(numbers.size());
  return entities;
}

}  // namespace sluis::cli
