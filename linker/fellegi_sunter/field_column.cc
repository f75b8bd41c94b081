#include "linker/fellegi_sunter/field_column.h"

#include <string_view>
#include <unordered_map>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"

namespace sluis::linker {
namespace {

// The row's memory as a key. Bit-wise equality is what the exact level means, so a hash alone would not do.
std::string_view Key(const EncodingTable& table, std::size_t row) {
  const std::span<const std::uint64_t> words = table.row(row);
  return {reinterpret_cast<const char*>(words.data()), words.size_bytes()};
}

absl::Status CheckSource(FieldColumns columns, std::size_t fields, const char* source) {
  if (columns.size() != fields) {
    return absl::InvalidArgumentError(
        absl::StrCat("source ", source, ": ", columns.size(), " columns, the plan has ", fields, " fields"));
  }
  for (std::size_t f = 0; f < fields; ++f) {
    if (columns[f].records() != columns[0].records()) {
      return absl::InvalidArgumentError(absl::StrCat("source ", source, ", field ", f, ": ", columns[f].records(),
                                                     " records, field 0 has ", columns[0].records()));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FieldColumn> FieldColumn::Create(std::uint32_t bits) {
  SLUIS_ASSIGN_OR_RETURN(EncodingTable table, EncodingTable::Create(bits));
  return FieldColumn(std::move(table));
}

absl::Status FieldColumn::Append(std::span<const std::uint64_t> encoding) {
  const auto row = static_cast<std::uint32_t>(encodings_.rows());
  SLUIS_RETURN_IF_ERROR(encodings_.Append(encoding));
  rows_.push_back(row);
  return absl::OkStatus();
}

absl::Status CheckComparable(FieldColumns a, FieldColumns b, std::size_t fields) {
  SLUIS_RETURN_IF_ERROR(CheckSource(a, fields, "a"));
  SLUIS_RETURN_IF_ERROR(CheckSource(b, fields, "b"));
  for (std::size_t f = 0; f < fields; ++f) {
    if (a[f].encodings().bits() != b[f].encodings().bits()) {
      return absl::InvalidArgumentError(absl::StrCat("field ", f, ": encodings of ", a[f].encodings().bits(), " and ",
                                                     b[f].encodings().bits(), " bits cannot be compared"));
    }
  }
  return absl::OkStatus();
}

TermCounts CountTerms(const FieldColumn& a, const FieldColumn& b) {
  std::unordered_map<std::string_view, std::uint32_t> counts;
  const auto count = [&counts](const EncodingTable& table) {
    for (std::size_t row = 0; row < table.rows(); ++row) {
      ++counts[Key(table, row)];
    }
  };
  count(a.encodings());
  std::uint64_t total = a.encodings().rows();
  if (&a != &b) {
    count(b.encodings());
    total += b.encodings().rows();
  }
  TermCounts terms{std::vector<std::uint32_t>(a.records(), 0), total < 2 ? 0 : total - 2};
  for (std::size_t record = 0; record < a.records(); ++record) {
    if (const std::uint32_t row = a.row(record); row != FieldColumn::kMissing) {
      const std::uint32_t equal = counts.find(Key(a.encodings(), row))->second;
      terms.others[record] = equal < 2 ? 0 : equal - 2;
    }
  }
  return terms;
}

}  // namespace sluis::linker
