#include "linker/kernel/weighted.h"

#include <bit>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"

namespace sluis::linker {
namespace kernel {
namespace {

void ScanPortable(const WeightedScan& scan) {
  for (std::size_t q = 0; q < kWeightedQueries; ++q) {
    for (std::size_t row = 0; row < scan.groups; ++row) {
      const std::uint8_t* bytes = scan.candidates + row * scan.bytes;
      std::int32_t sum = 0;
      for (std::size_t p = 0; p < scan.bytes; ++p) {
        const std::uint8_t* tables = scan.tables[q] + 32 * p;
        sum += tables[bytes[p] & 15] + tables[16 + (bytes[p] >> 4)];
      }
      scan.sums[q][row] = sum;
    }
  }
}

void SumPairsPortable(const WeightPlanes& weights, const std::uint64_t* a, const std::uint64_t* b, const RowPair* pairs,
                      std::size_t count, std::int32_t* sums) {
  for (std::size_t i = 0; i < count; ++i) {
    std::int32_t sum = 0;
    for (std::size_t w = 0; w < weights.words; ++w) {
      const std::uint64_t both = a[pairs[i].a * weights.words + w] & b[pairs[i].b * weights.words + w];
      for (std::size_t j = 0; j < weights.count; ++j) {
        sum += std::popcount(both & weights.planes[j * weights.words + w]) * weights.plane_weights[j];
      }
    }
    sums[i] = sum;
  }
}

absl::StatusOr<const WeightedSet*> SelectWeightedSet(Kernel kernel) {
  SLUIS_ASSIGN_OR_RETURN(const Kernel resolved, ResolveKernel(kernel));
#if defined(__x86_64__)
  if (resolved == Kernel::kAvx512) {
    return &kAvx512WeightedSet;
  }
  if (resolved == Kernel::kAvx2) {
    return &kAvx2WeightedSet;
  }
#endif
  return &kPortableWeightedSet;
}

}  // namespace

const WeightedSet kPortableWeightedSet = {1, &ScanPortable, &SumPairsPortable};

}  // namespace kernel

namespace {

constexpr std::size_t kPlanes = 9;  // two's complement of [-255, 255]
constexpr std::size_t kEntries = 16;

// Byte p of a row holds its bits 8p to 8p + 7.
std::uint8_t ByteOf(const std::uint64_t* row, std::size_t p) {
  return static_cast<std::uint8_t>(row[p / 8] >> (8 * (p % 8)));
}

}  // namespace

absl::StatusOr<BitWeights> BitWeights::Create(std::span<const std::int32_t> weights) {
  if (weights.size() < kMinEncodingBits || weights.size() > kMaxEncodingBits || weights.size() % 64 != 0) {
    return absl::InvalidArgumentError(absl::StrCat("bit weights: ", weights.size(),
                                                   " of them; encodings have a multiple of 64 bits from ",
                                                   kMinEncodingBits, " to ", kMaxEncodingBits));
  }
  for (std::size_t p = 0; p < weights.size() / 8; ++p) {
    std::int64_t sum = 0;
    for (std::size_t i = 8 * p; i < 8 * p + 8; ++i) {
      sum += std::abs(std::int64_t{weights[i]});
    }
    if (sum > kMaxByteWeight) {
      return absl::InvalidArgumentError(absl::StrCat("bit weights: those of byte ", p, " add up to ", sum,
                                                     ", more than ", kMaxByteWeight, "; scale all weights down"));
    }
  }
  BitWeights result;
  result.weights_.assign(weights.begin(), weights.end());
  const std::size_t words = weights.size() / 64;
  for (std::size_t j = 0; j < kPlanes; ++j) {
    std::vector<std::uint64_t> plane(words);
    std::uint64_t any = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const std::uint64_t bit = (static_cast<std::uint32_t>(weights[i]) >> j) & 1;
      plane[i / 64] |= bit << (i % 64);
      any |= bit;
    }
    if (any != 0) {
      result.planes_.insert(result.planes_.end(), plane.begin(), plane.end());
      result.plane_weights_.push_back((j + 1 == kPlanes ? -1 : 1) * (std::int32_t{1} << j));
    }
  }
  const std::size_t places = weights.size() / 4;
  result.tables_.resize(places * kEntries * kEntries);
  result.bases_.resize(places * kEntries);
  for (std::size_t place = 0; place < places; ++place) {
    const auto sum_of = [&](std::size_t half_byte) {
      std::int32_t sum = 0;
      for (std::size_t i = 0; i < 4; ++i) {
        sum += (half_byte >> i & 1) != 0 ? weights[4 * place + i] : 0;
      }
      return sum;
    };
    std::size_t negative = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      negative |= std::size_t{weights[4 * place + i] < 0} << i;
    }
    for (std::size_t query = 0; query < kEntries; ++query) {
      const std::int32_t base = sum_of(query & negative);
      result.bases_[place * kEntries + query] = base;
      for (std::size_t candidate = 0; candidate < kEntries; ++candidate) {
        result.tables_[(place * kEntries + query) * kEntries + candidate] =
            static_cast<std::uint8_t>(sum_of(query & candidate) - base);
      }
    }
  }
  return result;
}

kernel::WeightPlanes BitWeights::planes() const {
  return {planes_.data(), plane_weights_.data(), plane_weights_.size(), weights_.size() / 64};
}

std::int32_t BitWeights::WriteTables(std::span<const std::uint64_t> row, std::uint8_t* tables) const {
  std::int32_t base = 0;
  const std::size_t places = weights_.size() / 4;
  for (std::size_t place = 0; place < places; ++place) {
    const std::size_t from = place * kEntries + (ByteOf(row.data(), place / 2) >> (4 * (place % 2)) & 15);
    std::memcpy(tables + place * kEntries, tables_.data() + from * kEntries, kEntries);
    base += bases_[from];
  }
  return base;
}

absl::StatusOr<std::vector<std::int32_t>> WeightedOverlaps(std::span<const CandidatePair> pairs, const EncodingTable& a,
                                                           const EncodingTable& b, const BitWeights& weights,
                                                           Kernel kernel) {
  if (a.bits() != weights.bits() || b.bits() != weights.bits()) {
    return absl::InvalidArgumentError(absl::StrCat("encoding width: ", a.bits(), " bits in table a, ", b.bits(),
                                                   " in table b, ", weights.bits(), " weights; they must be equal"));
  }
  SLUIS_ASSIGN_OR_RETURN(const kernel::WeightedSet* const set, kernel::SelectWeightedSet(kernel));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].a >= a.rows() || pairs[i].b >= b.rows()) {
      return absl::InvalidArgumentError(absl::StrCat("candidate pair ", i, ": names a row beyond its table (", a.rows(),
                                                     " and ", b.rows(), " rows)"));
    }
  }
  std::vector<std::int32_t> sums(pairs.size());
  set->sum_pairs(weights.planes(), a.data(), b.data(), pairs.data(), pairs.size(), sums.data());
  return sums;
}

absl::StatusOr<WeightedBlock> WeightedBlock::Pack(const EncodingTable& table, std::size_t begin, std::size_t end,
                                                  Kernel kernel) {
  if (begin > end || end > table.rows()) {
    return absl::InvalidArgumentError(
        absl::StrCat("rows to pack: ", begin, " to ", end, " of a table of ", table.rows()));
  }
  WeightedBlock block;
  SLUIS_ASSIGN_OR_RETURN(block.set_, kernel::SelectWeightedSet(kernel));
  const std::size_t lanes = block.set_->lanes;
  block.rows_ = end - begin;
  block.groups_ = (block.rows_ + lanes - 1) / lanes;
  block.bytes_ = table.bits() / 8;
  block.packed_.resize(block.groups_ * lanes * block.bytes_);
  for (std::size_t r = 0; r < block.rows_; ++r) {
    const std::uint64_t* row = table.row(begin + r).data();
    std::uint8_t* group = block.packed_.data() + r / lanes * lanes * block.bytes_;
    for (std::size_t p = 0; p < block.bytes_; ++p) {
      group[p * lanes + r % lanes] = ByteOf(row, p);
    }
  }
  return block;
}

void WeightedBlock::Sums(const std::uint8_t* tables_0, const std::uint8_t* tables_1, std::int32_t* sums_0,
                         std::int32_t* sums_1) const {
  set_->scan({{tables_0, tables_1}, packed_.data(), groups_, bytes_, {sums_0, sums_1}});
}

}  // namespace sluis::linker
