#include "linker/candidate/block_comparer.h"

#include <algorithm>

#include "linker/candidate/nearest_lists.h"
#include "linker/kernel/packed_rows.h"

namespace sluis::linker::candidate {
namespace {

using kernel::kQueries;
using kernel::kTileRows;

constexpr std::size_t kTileQueries = 1024;  // 128 KiB at 1,024 bits: within a core's L2
constexpr std::size_t kHitCapacity = 4 * kQueries * kTileRows;
constexpr std::size_t kPairsAtOnce = 4096;
constexpr std::int64_t kNever = -(std::int64_t{1} << 40);  // a share of the limit that no distance meets

// Packing a row costs about as much as four single comparisons.
bool PackingPays(std::size_t rows_a, std::size_t rows_b) { return rows_a * rows_b > 4 * (rows_a + rows_b); }

}  // namespace

void Prefetch(const EncodingTable& table, std::span<const std::uint32_t> rows) {
  constexpr std::size_t kLineWords = 8;
  for (const std::uint32_t row : rows) {
    const std::uint64_t* const encoding = table.row(row).data();
    for (std::size_t w = 0; w < table.words(); w += kLineWords) {
      __builtin_prefetch(encoding + w);
    }
  }
}

BlockComparer::BlockComparer(const EncodingTable& a, const EncodingTable& b, const kernel::InstructionSet& instructions)
    : a_(a), b_(b), instructions_(instructions), hits_(kHitCapacity) {}

void BlockComparer::Compare(std::span<const std::uint32_t> rows_a, std::span<const std::uint32_t> rows_b,
                            std::uint32_t bound, const SimilarPairSink& sink) {
  if (PackingPays(rows_a.size(), rows_b.size())) {
    CompareAll(rows_a, rows_b, /*within=*/false, bound, sink);
  } else {
    CompareOneByOne(rows_a, rows_b, /*within=*/false, bound, sink);
  }
}

void BlockComparer::CompareWithin(std::span<const std::uint32_t> rows, std::uint32_t bound,
                                  const SimilarPairSink& sink) {
  if (PackingPays(rows.size(), rows.size())) {
    CompareAll(rows, rows, /*within=*/true, bound, sink);
  } else {
    CompareOneByOne(rows, rows, /*within=*/true, bound, sink);
  }
}

void BlockComparer::CompareAll(std::span<const std::uint32_t> rows_a, std::span<const std::uint32_t> rows_b,
                               bool within, std::uint32_t bound, const SimilarPairSink& sink) {
  // Dice >= bound / 2^30 as a limit of the distance; Add() decides what is let through too much.
  const kernel::DistanceLimit limit{kDiceOne - bound, kDiceOne, 0};
  for (std::size_t begin_a = 0; begin_a < rows_a.size(); begin_a += kTileQueries) {
    const auto tile_a = rows_a.subspan(begin_a, std::min(kTileQueries, rows_a.size() - begin_a));
    Prefetch(a_, tile_a);
    const AlignedVector<std::uint64_t> packed_a = kernel::PackRows(a_, tile_a, a_.words(), 1, kQueries);
    limits_a_.assign(packed_a.size() / a_.words(), kNever);
    std::transform(tile_a.begin(), tile_a.end(), limits_a_.begin(),
                   [&](std::uint32_t row) { return limit.ShareOfA(a_.popcount(row)); });
    for (std::size_t begin_b = within ? begin_a / kTileRows * kTileRows : 0; begin_b < rows_b.size();
         begin_b += kTileRows) {
      const auto tile_b = rows_b.subspan(begin_b, std::min(kTileRows, rows_b.size() - begin_b));
      Prefetch(b_, tile_b);
      const AlignedVector<std::uint64_t> packed_b =
          kernel::PackRows(b_, tile_b, b_.words(), instructions_.lanes, instructions_.lanes);
      limits_b_.assign(packed_b.size() / b_.words(), kNever);
      std::transform(tile_b.begin(), tile_b.end(), limits_b_.begin(),
                     [&](std::uint32_t row) { return limit.ShareOfB(b_.popcount(row)); });
      const kernel::Scan scan{packed_a.data(),  limits_a_.data(), limits_a_.size(), packed_b.data(),
                              limits_b_.data(), limits_b_.size(), a_.words()};
      for (std::size_t next = 0; next < limits_a_.size();) {
        const std::size_t count = instructions_.scan(scan, &next, hits_.data(), hits_.size());
        for (const kernel::Hit& hit : std::span(hits_).first(count)) {
          if (!within || begin_a + hit.query < begin_b + hit.candidate) {
            const std::uint32_t row_a = tile_a[hit.query];
            const std::uint32_t row_b = tile_b[hit.candidate];
            Add(row_a, row_b, (a_.popcount(row_a) + b_.popcount(row_b) - hit.distance) / 2, bound);
          }
        }
        Flush(sink);
      }
    }
  }
}

void BlockComparer::CompareOneByOne(std::span<const std::uint32_t> rows_a, std::span<const std::uint32_t> rows_b,
                                    bool within, std::uint32_t bound, const SimilarPairSink& sink) {
  const auto compare = [&] {
    common_.resize(pairs_.size());
    instructions_.count_common(a_.data(), b_.data(), a_.words(), pairs_.data(), pairs_.size(), common_.data());
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      Add(pairs_[i].a, pairs_[i].b, common_[i], bound);
    }
    Flush(sink);
    pairs_.clear();
  };
  for (std::size_t i = 0; i < rows_a.size(); ++i) {
    for (std::size_t j = within ? i + 1 : 0; j < rows_b.size(); ++j) {
      pairs_.push_back({rows_a[i], rows_b[j]});
      if (pairs_.size() == kPairsAtOnce) {
        compare();
      }
    }
  }
  compare();
}

void BlockComparer::Add(std::uint32_t a, std::uint32_t b, std::uint32_t common, std::uint32_t bound) {
  const std::uint32_t dice_units = DiceUnits(common, a_.popcount(a), b_.popcount(b));
  if (dice_units >= bound && dice_units > 0) {
    similar_.push_back({a, b, dice_units});
  }
}

void BlockComparer::Flush(const SimilarPairSink& sink) {
  if (!similar_.empty()) {
    sink(similar_);
    similar_.clear();
  }
}

}  // namespace sluis::linker::candidate
