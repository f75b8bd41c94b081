#include "linker/fellegi_sunter/field_column.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "common/status/status.h"

namespace sluis::linker {
namespace {

constexpr std::size_t kFirstSlots = 256;

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

// Where the encoding's row stands in slots_, or the free place where it belongs. The hash is seeded anew in each
// process, so that nobody can send values that all fall together; rows do not depend on it.
std::size_t FieldColumn::SlotOf(std::span<const std::uint64_t> encoding) const {
  const std::string_view key(reinterpret_cast<const char*>(encoding.data()), encoding.size_bytes());
  std::size_t slot = absl::Hash<std::string_view>()(key) & (slots_.size() - 1);
  while (slots_[slot] != kMissing && Key(encodings_, slots_[slot]) != key) {
    slot = (slot + 1) & (slots_.size() - 1);
  }
  return slot;
}

void FieldColumn::Grow() {
  slots_.assign(std::max(kFirstSlots, 2 * slots_.size()), kMissing);
  for (std::uint32_t row = 0; row < encodings_.rows(); ++row) slots_[SlotOf(encodings_.row(row))] = row;
}

absl::Status FieldColumn::Append(std::span<const std::uint64_t> encoding) {
  if (2 * encodings_.rows() >= slots_.size()) Grow();
  const std::size_t slot = SlotOf(encoding);
  if (slots_[slot] == kMissing) {
    const auto row = static_cast<std::uint32_t>(encodings_.rows());
    SLUIS_RETURN_IF_ERROR(encodings_.Append(encoding));
    slots_[slot] = row;
  }
  rows_.push_back(slots_[slot]);
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
  std::uint64_t total = 0;
  const auto count = [&total](const FieldColumn& column) {
    std::vector<std::uint32_t> records(column.encodings().rows(), 0);
    for (const std::uint32_t row : column.rows()) {
      if (row == FieldColumn::kMissing) continue;
      ++records[row];
      ++total;
    }
    return records;
  };
  std::vector<std::uint32_t> equal = count(a);
  if (&a != &b) {
    const std::vector<std::uint32_t> of_b = count(b);
    std::unordered_map<std::string_view, std::uint32_t> rows_b;
    for (std::uint32_t row = 0; row < of_b.size(); ++row) rows_b.emplace(Key(b.encodings(), row), row);
    for (std::size_t row = 0; row < equal.size(); ++row) {
      if (const auto found = rows_b.find(Key(a.encodings(), row)); found != rows_b.end()) {
        equal[row] += of_b[found->second];
      }
    }
  }
  TermCounts terms{std::vector<std::uint32_t>(a.records(), 0), total < 2 ? 0 : total - 2};
  for (std::size_t record = 0; record < a.records(); ++record) {
    if (const std::uint32_t row = a.row(record); row != FieldColumn::kMissing) {
      terms.others[record] = equal[row] < 2 ? 0 : equal[row] - 2;
    }
  }
  return terms;
}

}  // namespace sluis::linker
