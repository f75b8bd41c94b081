#include "linker/kernel/all_pairs.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "linker/kernel/distance_limit.h"
#include "linker/kernel/packed_rows.h"
#include "linker/kernel/sketch.h"

namespace sluis::linker {
namespace {

using kernel::DistanceLimit;
using kernel::Hit;
using kernel::kQueries;
using kernel::kTileRows;

constexpr std::size_t kTileQueries = 4096;  // bounds what a tile can find
constexpr std::size_t kHitCapacity = 16 * kQueries * kTileRows;
constexpr std::int64_t kNever = -(std::int64_t{1} << 40);  // a share of the limit that no distance meets

// One table's rows that take part, by popcount and then by number.
struct SortedRows {
  std::vector<std::uint32_t> order;
  std::vector<std::uint32_t> popcounts;  // of the rows in `order`
  std::vector<std::int64_t> limits;      // shares of the distance limit, up to a multiple of the packed rows' block

  SortedRows(const EncodingTable& table, bool with_empty) {
    std::vector<std::size_t> begin(table.bits() + 2);
    for (std::size_t r = 0; r < table.rows(); ++r) {
      ++begin[table.popcount(r) + 1];
    }
    if (!with_empty) {
      begin[1] = 0;
    }
    for (std::size_t c = 1; c < begin.size(); ++c) {
      begin[c] += begin[c - 1];
    }
    order.resize(begin.back());
    popcounts.resize(begin.back());
    for (std::size_t r = 0; r < table.rows(); ++r) {
      const std::uint32_t popcount = table.popcount(r);
      if (popcount > 0 || with_empty) {
        const std::size_t position = begin[popcount]++;
        order[position] = static_cast<std::uint32_t>(r);
        popcounts[position] = popcount;
      }
    }
  }
};

// Both tables' rows, folded to one width.
struct Sketch {
  std::uint32_t words;
  AlignedVector<std::uint64_t> a;
  AlignedVector<std::uint64_t> b;
};

class Search {
 public:
  Search(const EncodingTable& a, const EncodingTable& b, const DistanceLimit& limit, bool with_empty,
         const kernel::InstructionSet& instructions, const AllPairsOptions& options, const PairVisitor& visit)
      : table_a_(a),
        table_b_(b),
        limit_(limit),
        instructions_(instructions),
        options_(options),
        visit_(visit),
        a_(a, with_empty),
        b_(b, with_empty) {
    if (options.prune) {
      widths_.emplace(a, b, a_.order, b_.order, limit);
    }
    for (const std::uint32_t words : widths_ ? widths_->widths() : std::vector<std::uint32_t>{a.words()}) {
      sketches_.push_back({words, kernel::PackRows(a, a_.order, words, 1, kQueries),
                           kernel::PackRows(b, b_.order, words, instructions.lanes, instructions.lanes)});
    }
    a_.limits.assign(sketches_[0].a.size() / sketches_[0].words, kNever);
    b_.limits.assign(sketches_[0].b.size() / sketches_[0].words, kNever);
    std::transform(a_.popcounts.begin(), a_.popcounts.end(), a_.limits.begin(),
                   [&](std::uint32_t bits) { return limit.ShareOfA(bits); });
    std::transform(b_.popcounts.begin(), b_.popcounts.end(), b_.limits.begin(),
                   [&](std::uint32_t bits) { return limit.ShareOfB(bits); });
    SetWindows();
  }

  absl::StatusOr<AllPairsStats> Run() {
    {
      std::vector<std::jthread> others;
      for (unsigned t = 1; t < options_.threads; ++t) {
        others.emplace_back([this] { Work(); });
      }
      Work();
    }
    SLUIS_RETURN_IF_ERROR(status_);
    AllPairsStats stats = stats_;
    stats.pairs = std::uint64_t{table_a_.rows()} * table_b_.rows();
    return stats;
  }

 private:
  // The rows of a whose popcounts let them be near enough to some row of a block of b.
  struct Window {
    std::size_t begin;  // a multiple of kQueries
    std::size_t end;
    std::size_t first_tile;  // tiles of the windows before
  };

  void SetWindows() {
    for (std::size_t block = 0; block < b_.order.size(); block += kTileRows) {
      const std::size_t block_end = std::min(block + kTileRows, b_.order.size());
      Window window{0, a_.order.size(), tiles_};
      if (options_.prune) {
        const std::uint64_t least = b_.popcounts[block];
        const std::uint64_t most = b_.popcounts[block_end - 1];
        const auto begin = std::partition_point(a_.popcounts.begin(), a_.popcounts.end(), [&](std::uint64_t bits) {
          return bits < least && !limit_.Allows(least - bits, bits, least);
        });
        const auto end = std::partition_point(begin, a_.popcounts.end(), [&](std::uint64_t bits) {
          return bits <= most || limit_.Allows(bits - most, bits, most);
        });
        window.begin = static_cast<std::size_t>(begin - a_.popcounts.begin()) / kQueries * kQueries;
        window.end = static_cast<std::size_t>(end - a_.popcounts.begin());
      }
      windows_.push_back(window);
      if (window.begin < window.end) {
        tiles_ += (window.end - 1) / kTileQueries - window.begin / kTileQueries + 1;
      }
    }
  }

  void Work() {
    std::vector<Hit> hits(kHitCapacity);
    std::vector<FoundPair> found;
    AllPairsStats stats;
    for (;;) {
      const std::size_t tile = next_tile_.fetch_add(1);
      if (tile >= tiles_ || failed_.load()) {
        break;
      }
      if (options_.stop.stop_requested()) {
        Fail(absl::CancelledError("comparing all pairs: stopped on request"));
        break;
      }
      found.clear();
      Compare(tile, hits.data(), &found, &stats);
      if (!Deliver(tile, found)) {
        break;
      }
    }
    const std::lock_guard lock(mutex_);
    stats_.pairs_in_windows += stats.pairs_in_windows;
    stats_.words_in_windows += stats.words_in_windows;
    stats_.pairs_in_full += stats.pairs_in_full;
    stats_.found += stats.found;
  }

  void Compare(std::size_t tile, Hit* hits, std::vector<FoundPair>* found, AllPairsStats* stats) const {
    // The last window whose first tile is not beyond; windows without tiles come before the one that has it.
    const auto after = std::upper_bound(windows_.begin(), windows_.end(), tile,
                                        [](std::size_t t, const Window& window) { return t < window.first_tile; });
    const Window& window = *(after - 1);
    const std::size_t block = static_cast<std::size_t>(after - 1 - windows_.begin()) * kTileRows;
    // Tiles begin at multiples of their size, not at the window's begin, so that the order does not depend on windows.
    const std::size_t tile_begin = (window.begin / kTileQueries + tile - window.first_tile) * kTileQueries;
    const std::size_t begin = std::max(tile_begin, window.begin);
    const std::size_t end = std::min(tile_begin + kTileQueries, window.end);
    const std::size_t candidates = std::min(kTileRows, b_.limits.size() - block);
    const std::size_t queries = (end - begin + kQueries - 1) / kQueries * kQueries;
    const std::size_t block_end = std::min(block + kTileRows, b_.order.size());
    // The largest limit of the tile, since rows come by popcount.
    const Sketch& sketch = sketches_[widths_ ? widths_->Cheapest(a_.limits[end - 1] + b_.limits[block_end - 1]) : 0];
    const kernel::Scan scan{sketch.a.data() + begin * sketch.words,
                            a_.limits.data() + begin,
                            queries,
                            sketch.b.data() + block * sketch.words,
                            b_.limits.data() + block,
                            candidates,
                            sketch.words};
    const std::uint64_t pairs = (end - begin) * (block_end - block);
    const bool in_full = sketch.words == table_a_.words();
    stats->pairs_in_windows += pairs;
    stats->words_in_windows += pairs * sketch.words;
    stats->pairs_in_full += in_full ? pairs : 0;

    for (std::size_t next = 0; next < queries;) {
      const std::size_t count = instructions_.scan(scan, &next, hits, kHitCapacity);
      Confirm({hits, count}, in_full, begin, end, block, found, stats);
    }
    std::sort(found->begin(), found->end(),
              [](const FoundPair& x, const FoundPair& y) { return std::pair(x.a, x.b) < std::pair(y.a, y.b); });
    stats->found += found->size();
  }

  // Adds those hits that meet the limit exactly. `in_full`: their distances are those of the whole rows.
  void Confirm(std::span<const Hit> hits, bool in_full, std::size_t begin, std::size_t end, std::size_t block,
               std::vector<FoundPair>* found, AllPairsStats* stats) const {
    std::vector<kernel::RowPair> pairs;
    std::vector<std::uint32_t> distances;
    for (const Hit& hit : hits) {
      // A window's end need not be a multiple of kQueries: the rows beyond belong to the next tile, or to none.
      if (begin + hit.query < end) {
        pairs.push_back({a_.order[begin + hit.query], b_.order[block + hit.candidate]});
        distances.push_back(hit.distance);
      }
    }
    std::vector<std::uint32_t> common(in_full ? 0 : pairs.size());
    if (!in_full) {
      instructions_.count_common(table_a_.data(), table_b_.data(), table_a_.words(), pairs.data(), pairs.size(),
                                 common.data());
      stats->pairs_in_full += pairs.size();
    }
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const std::uint32_t bits_a = table_a_.popcount(pairs[i].a);
      const std::uint32_t bits_b = table_b_.popcount(pairs[i].b);
      const Overlap overlap{in_full ? (bits_a + bits_b - distances[i]) / 2 : common[i], bits_a, bits_b};
      if (limit_.Allows(overlap.hamming(), bits_a, bits_b)) {
        found->push_back({pairs[i].a, pairs[i].b, overlap});
      }
    }
  }

  // Waits for its turn, then visits. Returns whether to go on.
  bool Deliver(std::size_t tile, std::span<const FoundPair> found) {
    std::unique_lock lock(mutex_);
    turn_changed_.wait(lock, [&] { return turn_ == tile || failed_.load(); });
    while (!found.empty() && !failed_.load()) {
      const std::size_t count = std::min(found.size(), kVisitPairs);
      const absl::Status status = visit_(found.first(count));
      if (!status.ok()) {
        SetFailed(status);
      }
      found = found.subspan(count);
    }
    turn_ = tile + 1;
    turn_changed_.notify_all();
    return !failed_.load();
  }

  void Fail(const absl::Status& status) {
    const std::lock_guard lock(mutex_);
    SetFailed(status);
    turn_changed_.notify_all();
  }
  void SetFailed(const absl::Status& status) {
    if (status_.ok()) {
      status_ = status;
    }
    failed_ = true;
  }

  const EncodingTable& table_a_;
  const EncodingTable& table_b_;
  const DistanceLimit limit_;
  const kernel::InstructionSet& instructions_;
  const AllPairsOptions& options_;
  const PairVisitor& visit_;
  SortedRows a_;
  SortedRows b_;
  std::optional<kernel::SketchWidths> widths_;  // absent if not pruned
  std::vector<Sketch> sketches_;                // one for each width
  std::vector<Window> windows_;
  std::size_t tiles_ = 0;

  std::atomic<std::size_t> next_tile_ = 0;
  std::atomic<bool> failed_ = false;
  std::mutex mutex_;  // guards what follows, and visit_
  std::condition_variable turn_changed_;
  std::size_t turn_ = 0;  // the tile that may be visited now
  absl::Status status_;
  AllPairsStats stats_;
};

absl::StatusOr<AllPairsStats> RunSearch(const EncodingTable& a, const EncodingTable& b, const DistanceLimit& limit,
                                        bool with_empty, const PairVisitor& visit, const AllPairsOptions& options) {
  if (a.words() != b.words()) {
    return absl::InvalidArgumentError(
        absl::StrCat("encoding width: ", a.bits(), " bits in table a, ", b.bits(), " in table b; they must be equal"));
  }
  if (options.threads == 0) {
    return absl::InvalidArgumentError("threads: must be at least 1");
  }
  SLUIS_ASSIGN_OR_RETURN(const kernel::InstructionSet* const instructions,
                         kernel::SelectInstructionSet(options.kernel));
  return Search(a, b, limit, with_empty, *instructions, options, visit).Run();
}

}  // namespace

absl::StatusOr<AllPairsStats> AllPairsAbove(const EncodingTable& a, const EncodingTable& b, Ratio threshold,
                                            const PairVisitor& visit, const AllPairsOptions& options) {
  if (threshold.numerator == 0 || threshold.numerator > threshold.denominator) {
    return absl::InvalidArgumentError(
        absl::StrCat("threshold ", threshold.numerator, "/", threshold.denominator, ": must be above 0 and at most 1"));
  }
  const DistanceLimit limit{threshold.denominator - threshold.numerator, threshold.denominator, 0};
  return RunSearch(a, b, limit, /*with_empty=*/false, visit, options);
}

absl::StatusOr<AllPairsStats> HammingWithin(const EncodingTable& a, const EncodingTable& b, std::uint32_t max_distance,
                                            const PairVisitor& visit, const AllPairsOptions& options) {
  return RunSearch(a, b, DistanceLimit{0, 1, max_distance}, /*with_empty=*/true, visit, options);
}

}  // namespace sluis::linker
