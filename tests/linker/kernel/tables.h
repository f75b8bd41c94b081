#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <vector>

#include "linker/kernel/all_pairs.h"

// Tables of encodings for tests, and the naive comparison that the kernels are held against.

namespace sluis::linker::testing {

inline EncodingTable EmptyTable(std::uint32_t bits) {
  absl::StatusOr<EncodingTable> table = EncodingTable::Create(bits);
  if (!table.ok()) {
    std::abort();
  }
  return *std::move(table);
}

inline void AppendRow(EncodingTable* table, const std::vector<std::uint64_t>& row) {
  if (!table->Append(row).ok()) {
    std::abort();
  }
}

// A row whose bits are set independently with probability `fill`.
inline std::vector<std::uint64_t> RandomRow(std::uint32_t bits, double fill, std::mt19937_64* random) {
  std::bernoulli_distribution bit_is_set(fill);
  std::vector<std::uint64_t> row(bits / 64);
  for (std::uint32_t bit = 0; bit < bits; ++bit) {
    row[bit / 64] |= std::uint64_t{bit_is_set(*random)} << (bit % 64);
  }
  return row;
}

inline EncodingTable RandomTable(std::uint32_t bits, std::size_t rows, double fill, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  EncodingTable table = EmptyTable(bits);
  for (std::size_t r = 0; r < rows; ++r) {
    AppendRow(&table, RandomRow(bits, fill, &random));
  }
  return table;
}

// Bit by bit, without popcount instructions, tables or any code of the kernels.
inline Overlap NaiveOverlap(const EncodingTable& a, std::size_t row_a, const EncodingTable& b, std::size_t row_b) {
  Overlap overlap{0, 0, 0};
  for (std::uint32_t bit = 0; bit < a.bits(); ++bit) {
    const std::uint32_t bit_a = (a.row(row_a)[bit / 64] >> (bit % 64)) & 1;
    const std::uint32_t bit_b = (b.row(row_b)[bit / 64] >> (bit % 64)) & 1;
    overlap.common += bit_a & bit_b;
    overlap.bits_a += bit_a;
    overlap.bits_b += bit_b;
  }
  return overlap;
}

inline std::vector<Kernel> SupportedKernels() {
  std::vector<Kernel> kernels;
  for (const Kernel kernel : {Kernel::kPortable, Kernel::kAvx2, Kernel::kAvx512}) {
    if (KernelSupported(kernel)) {
      kernels.push_back(kernel);
    }
  }
  return kernels;
}

}  // namespace sluis::linker::testing
