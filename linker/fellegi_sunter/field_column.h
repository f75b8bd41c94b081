#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "linker/kernel/encoding_table.h"

namespace sluis::linker {

// One field of one source: the encodings that its records have, each value once.
class FieldColumn {
 public:
  static constexpr std::uint32_t kMissing = std::numeric_limits<std::uint32_t>::max();

  // Returns an empty column of encodings of `bits` bits. Errors as EncodingTable::Create.
  [[nodiscard]] static absl::StatusOr<FieldColumn> Create(std::uint32_t bits);

  // Appends a record that has the field. All-zero is an encoding like any other; a value without tokens is missing and
  // goes to AppendMissing. Errors as EncodingTable::Append.
  [[nodiscard]] absl::Status Append(std::span<const std::uint64_t> encoding);
  void AppendMissing() { rows_.push_back(kMissing); }

  std::size_t records() const { return rows_.size(); }
  // The record's row in encodings(), or kMissing. Records of equal encodings have the same.
  std::uint32_t row(std::size_t record) const { return rows_[record]; }
  std::span<const std::uint32_t> rows() const { return rows_; }
  // The different encodings, in the order of their first records.
  const EncodingTable& encodings() const { return encodings_; }

 private:
  explicit FieldColumn(EncodingTable encodings) : encodings_(std::move(encodings)) {}
  std::size_t SlotOf(std::span<const std::uint64_t> encoding) const;
  void Grow();

  EncodingTable encodings_;
  std::vector<std::uint32_t> rows_;
  // Rows of encodings_ by their hash, with linear probing: a power of two long and at most half full; kMissing is free.
  std::vector<std::uint32_t> slots_;
};

// The columns of a source, one per field of the plan; all have one number of records.
using FieldColumns = std::span<const FieldColumn>;

// Returns OK if `a` and `b` can be compared. Errors: INVALID_ARGUMENT, naming the field's index: another number of
// fields than `fields`, columns of one source that differ in their records, a field whose encodings differ in width.
[[nodiscard]] absl::Status CheckComparable(FieldColumns a, FieldColumns b, std::size_t fields);

// How many records have the value of a record. `others` is by record of source a: equal encodings in both columns, less
// two, this record's and that of the record with which it agrees; 0 also where the field is missing. `total`: values in
// both columns, less two. The pair itself is left out, since it says nothing of how frequent the value is: the share of
// a value that one person in a million has would else come out as two in the number of records.
struct TermCounts {
  std::vector<std::uint32_t> others;
  std::uint64_t total = 0;
};

// Counts the values of a field. Columns that are the same object count once. Only equal encodings are counted, so with
// BLIP nearly every value seems unique and the counts mean nothing (see README). Widths must be equal. Cost:
// O(records), and a hash table over the different values.
[[nodiscard]] TermCounts CountTerms(const FieldColumn& a, const FieldColumn& b);

}  // namespace sluis::linker
