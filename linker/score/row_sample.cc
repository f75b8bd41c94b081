#include "linker/score/row_sample.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <utility>

#include "common/status/status.h"

namespace sluis::linker {

absl::StatusOr<RowSample> SampleRows(const EncodingTable& table, std::size_t size, std::uint64_t seed) {
  std::vector<std::uint32_t> rows(table.rows());
  std::iota(rows.begin(), rows.end(), 0U);
  size = std::min(size, rows.size());
  std::mt19937_64 random(seed);
  for (std::size_t i = 0; i < size; ++i) {
    std::swap(rows[i], rows[i + random() % (rows.size() - i)]);
  }
  rows.resize(size);
  SLUIS_ASSIGN_OR_RETURN(EncodingTable sample, EncodingTable::Create(table.bits()));
  for (const std::uint32_t row : rows) {
    SLUIS_RETURN_IF_ERROR(sample.Append(table.row(row)));
  }
  return RowSample{std::move(sample), std::move(rows)};
}

}  // namespace sluis::linker
