#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "linker/kernel/encoding_table.h"

namespace sluis::linker {

// Some rows of a table: their encodings, and their numbers there.
struct RowSample {
  EncodingTable table;
  std::vector<std::uint32_t> rows;
};

// Returns `size` rows of `table`, or all if it has no more, drawn without replacement by `seed`, in random order.
// Errors: as EncodingTable.
[[nodiscard]] absl::StatusOr<RowSample> SampleRows(const EncodingTable& table, std::size_t size, std::uint64_t seed);

}  // namespace sluis::linker
