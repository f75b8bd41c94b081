#include "linker/candidate/block_pass.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "linker/candidate/bit_sampling.h"

namespace sluis::linker::candidate {
namespace {

constexpr std::uint32_t kFurtherBits = 64;
constexpr std::uint32_t kTokenKeyBits = 32;
constexpr std::uint32_t kTokenTables = 1'000'000;  // draws of bits for token passes: numbered above all LSH tables
constexpr std::size_t kBlocksAtOnce = 16;
constexpr std::size_t kOffersAtOnce = 64;  // at 32 places, 32 KB of lists

// A bijection (the finaliser of MurmurHash3), so that tokens of any distribution spread over the keys.
std::uint64_t Mix(std::uint64_t token) {
  token = (token ^ token >> 33) * 0xff51afd7ed558ccd;
  token = (token ^ token >> 33) * 0xc4ceb9fe1a85ec53;
  return token ^ token >> 33;
}

// A row with what splits its block: its token, or further bits of its encoding.
struct SplitRow {
  std::uint64_t value;
  std::uint32_t row;

  friend auto operator<=>(const SplitRow&, const SplitRow&) = default;
};
using SplitRows = std::span<const SplitRow>;

template <typename Value>
std::vector<SplitRow> Sorted(std::span<const std::uint32_t> rows, const Value& value) {
  std::vector<SplitRow> sorted;
  sorted.reserve(rows.size());
  for (const std::uint32_t row : rows) {
    sorted.push_back({value(row), row});
  }
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

// The rows before and from the first with a value of at least `value`.
std::pair<SplitRows, SplitRows> Cut(SplitRows rows, std::uint64_t value) {
  const auto begin =
      std::partition_point(rows.begin(), rows.end(), [&](const SplitRow& row) { return row.value < value; });
  const auto size = static_cast<std::size_t>(begin - rows.begin());
  return {rows.first(size), rows.subspan(size)};
}

std::vector<std::uint32_t> RowsOf(SplitRows rows) {
  std::vector<std::uint32_t> numbers(rows.size());
  std::transform(rows.begin(), rows.end(), numbers.begin(), [](const SplitRow& row) { return row.row; });
  return numbers;
}

void RowsOf(std::span<const KeyedRow> keyed, std::vector<std::uint32_t>* rows) {
  rows->resize(keyed.size());
  std::transform(keyed.begin(), keyed.end(), rows->begin(), &RowOf);
}

void AddStats(const PassStats& more, PassStats* stats) {
  stats->blocks += more.blocks;
  stats->pairs += more.pairs;
  stats->largest_block = std::max(stats->largest_block, more.largest_block);
  stats->split_blocks += more.split_blocks;
  stats->split_records += more.split_records;
  stats->skipped_blocks += more.skipped_blocks;
  stats->skipped_records += more.skipped_records;
}

}  // namespace

// Splits and compares the blocks that one thread takes. For duplicates the rows of a block are its rows of a, and there
// are none of b.
class BlockPass::Worker {
 public:
  Worker(const Search& search, const Rules& rules)
      : search_(search), rules_(rules), comparer_(search.a, search.b, search.instructions) {
    take_ = [this](std::span<const SimilarPair> pairs) {
      for (std::size_t begin = 0; begin < pairs.size(); begin += kOffersAtOnce) {
        Offer(pairs.subspan(begin, std::min(kOffersAtOnce, pairs.size() - begin)));
      }
    };
  }

  // Asks for the encodings of a block that is to come soon.
  void Await(const Block& block) {
    if (block.a.size() + block.b.size() <= rules_.max_block) {
      RowsOf(block.a, &rows_a_);
      RowsOf(block.b, &rows_b_);
      Prefetch(search_.a, rows_a_);
      Prefetch(search_.b, rows_b_);
    }
  }

  void Take(const Block& block) {
    RowsOf(block.a, &rows_a_);
    RowsOf(block.b, &rows_b_);
    if (rules_.tokens != nullptr && !HasOneToken()) {
      TakeByToken();
    } else {
      TakeBlock(rows_a_, rows_b_);
    }
  }

  const PassStats& stats() const { return stats_; }

 private:
  using Rows = std::span<const std::uint32_t>;

  // Lists stand anywhere in memory: all that a few pairs need is asked for before any of it is waited for.
  void Offer(std::span<const SimilarPair> pairs) {
    NearestLists* const of_a = search_.of_a;
    NearestLists* const of_b = search_.within ? search_.of_a : search_.of_b;
    for (const SimilarPair& pair : pairs) {
      of_a->Prefetch(pair.a);
      of_b->Prefetch(pair.b);
    }
    for (const SimilarPair& pair : pairs) {
      if (of_a->IsNear(pair.a, Neighbour(pair.b, pair.dice_units))) {
        of_a->PrefetchList(pair.a);
      }
      if (of_b->IsNear(pair.b, Neighbour(pair.a, pair.dice_units))) {
        of_b->PrefetchList(pair.b);
      }
    }
    for (const SimilarPair& pair : pairs) {
      of_a->Offer(pair.a, Neighbour(pair.b, pair.dice_units));
      of_b->Offer(pair.b, Neighbour(pair.a, pair.dice_units));
    }
  }

  bool HasPairs(std::size_t rows_a, std::size_t rows_b) const {
    return search_.within ? rows_a > 1 : rows_a > 0 && rows_b > 0;
  }

  bool HasOneToken() const {
    const std::uint64_t first = rules_.tokens->a[rows_a_[0]];
    const auto is_first = [&](std::span<const std::uint64_t> tokens) {
      return [=](std::uint32_t row) { return tokens[row] == first; };
    };
    return std::all_of(rows_a_.begin(), rows_a_.end(), is_first(rules_.tokens->a)) &&
           std::all_of(rows_b_.begin(), rows_b_.end(), is_first(rules_.tokens->b));
  }

  // Tokens that share the 32 bits of the key.
  void TakeByToken() {
    const std::vector<SplitRow> sorted_a = Sorted(rows_a_, [&](std::uint32_t row) { return rules_.tokens->a[row]; });
    const std::vector<SplitRow> sorted_b = Sorted(rows_b_, [&](std::uint32_t row) { return rules_.tokens->b[row]; });
    SplitRows rest_a = sorted_a;
    SplitRows rest_b = sorted_b;
    while (!rest_a.empty()) {
      const std::uint64_t token = rest_a.front().value;
      const auto end =
          std::partition_point(rest_a.begin(), rest_a.end(), [&](const SplitRow& row) { return row.value == token; });
      const auto count = static_cast<std::size_t>(end - rest_a.begin());
      rest_b = Cut(rest_b, token).second;
      const auto end_b =
          std::partition_point(rest_b.begin(), rest_b.end(), [&](const SplitRow& row) { return row.value == token; });
      const auto count_b = static_cast<std::size_t>(end_b - rest_b.begin());
      TakeBlock(RowsOf(rest_a.first(count)), RowsOf(rest_b.first(count_b)));
      rest_a = rest_a.subspan(count);
      rest_b = rest_b.subspan(count_b);
    }
  }

  void TakeBlock(Rows rows_a, Rows rows_b) {
    const std::size_t records = rows_a.size() + rows_b.size();
    if (!HasPairs(rows_a.size(), rows_b.size())) {
      return;
    }
    stats_.largest_block = std::max<std::uint64_t>(stats_.largest_block, records);
    if (records <= rules_.max_block) {
      Compare(rows_a, rows_b);
      return;
    }
    ++stats_.split_blocks;
    stats_.split_records += records;
    const auto bits = [&](const EncodingTable& table) {
      return [&](std::uint32_t row) { return SampledBits(table.row(row), rules_.further_bits); };
    };
    Prefetch(search_.a, rows_a);
    Prefetch(search_.b, rows_b);
    const std::vector<SplitRow> sorted_a = Sorted(rows_a, bits(search_.a));
    const std::vector<SplitRow> sorted_b = Sorted(rows_b, bits(search_.b));
    Split(sorted_a, sorted_b, 0, rules_.further_bits.size());
  }

  // The values of the rows agree from bit `bits` upwards; `floor` are those upper bits, with zeros below.
  void Split(SplitRows rows_a, SplitRows rows_b, std::uint64_t floor, std::size_t bits) {
    const std::size_t records = rows_a.size() + rows_b.size();
    if (!HasPairs(rows_a.size(), rows_b.size()) || search_.stop.stop_requested()) {
      return;
    }
    if (records <= rules_.max_block) {
      Compare(RowsOf(rows_a), RowsOf(rows_b));
    } else if (bits == 0) {
      ++stats_.skipped_blocks;
      stats_.skipped_records += records;
    } else {
      const std::uint64_t middle = floor | std::uint64_t{1} << (bits - 1);
      const auto [low_a, high_a] = Cut(rows_a, middle);
      const auto [low_b, high_b] = Cut(rows_b, middle);
      Split(low_a, low_b, floor, bits - 1);
      Split(high_a, high_b, middle, bits - 1);
    }
  }

  void Compare(Rows rows_a, Rows rows_b) {
    ++stats_.blocks;
    if (search_.within) {
      stats_.pairs += std::uint64_t{rows_a.size()} * (rows_a.size() - 1) / 2;
      comparer_.CompareWithin(rows_a, search_.plan.dice_bound, take_);
    } else {
      stats_.pairs += std::uint64_t{rows_a.size()} * rows_b.size();
      comparer_.Compare(rows_a, rows_b, search_.plan.dice_bound, take_);
    }
  }

  const Search& search_;
  const Rules& rules_;
  BlockComparer comparer_;
  SimilarPairSink take_;
  std::vector<std::uint32_t> rows_a_;
  std::vector<std::uint32_t> rows_b_;
  PassStats stats_;
};

void BlockPass::RunTable(std::uint32_t table, PassStats* stats) {
  const CandidatePlan& plan = search_.plan;
  const std::vector<std::uint16_t> drawn = DrawBits(plan.bit_weights, plan.key_bits + kFurtherBits, plan.seed, table);
  const auto bits = std::span(drawn).first(std::min<std::size_t>(plan.key_bits, drawn.size()));
  const auto key_rows = [&](const EncodingTable& encodings, AlignedVector<KeyedRow>* keyed) {
    KeyRows(
        encodings.rows(), search_.threads, [&](std::size_t row) { return encodings.popcount(row) > 0; },
        [&](std::size_t row) { return static_cast<std::uint32_t>(SampledBits(encodings.row(row), bits)); }, keyed);
  };
  key_rows(search_.a, &keyed_a_);
  if (!search_.within) {
    key_rows(search_.b, &keyed_b_);
  }
  SortBoth(plan.key_bits);
  CompareBlocks({nullptr, std::span(drawn).subspan(bits.size()), plan.max_block}, stats);
}

void BlockPass::RunTokens(const TokenPass& tokens, std::uint32_t number, PassStats* stats) {
  const auto key_rows = [&](const EncodingTable& encodings, std::span<const std::uint64_t> values,
                            AlignedVector<KeyedRow>* keyed) {
    KeyRows(
        values.size(), search_.threads,
        [&](std::size_t row) { return values[row] != 0 && encodings.popcount(row) > 0; },
        [&](std::size_t row) { return static_cast<std::uint32_t>(Mix(values[row]) >> (64 - kTokenKeyBits)); }, keyed);
  };
  key_rows(search_.a, tokens.a, &keyed_a_);
  if (!search_.within) {
    key_rows(search_.b, tokens.b, &keyed_b_);
  }
  SortBoth(kTokenKeyBits);
  const std::vector<std::uint16_t> bits =
      DrawBits(search_.plan.bit_weights, kFurtherBits, search_.plan.seed, kTokenTables + number);
  CompareBlocks({&tokens, bits, search_.plan.max_token_block}, stats);
}

void BlockPass::SortBoth(std::uint32_t key_bits) {
  SortByKey(key_bits, search_.threads, &keyed_a_, &buffer_);
  if (!search_.within) {
    SortByKey(key_bits, search_.threads, &keyed_b_, &buffer_);
  }
}

std::vector<BlockPass::Block> BlockPass::FindBlocks() const {
  std::vector<Block> blocks;
  const std::span<const KeyedRow> a = keyed_a_;
  const std::span<const KeyedRow> b = keyed_b_;
  std::size_t begin_b = 0;
  for (std::size_t begin = 0; begin < a.size();) {
    const std::uint32_t key = KeyOf(a[begin]);
    std::size_t end = begin + 1;
    while (end < a.size() && KeyOf(a[end]) == key) {
      ++end;
    }
    while (begin_b < b.size() && KeyOf(b[begin_b]) < key) {
      ++begin_b;
    }
    std::size_t end_b = begin_b;
    while (end_b < b.size() && KeyOf(b[end_b]) == key) {
      ++end_b;
    }
    if (search_.within ? end - begin > 1 : end_b > begin_b) {
      blocks.push_back({a.subspan(begin, end - begin), b.subspan(begin_b, end_b - begin_b)});
    }
    begin = end;
    begin_b = end_b;
  }
  return blocks;
}

void BlockPass::CompareBlocks(const Rules& rules, PassStats* stats) {
  const std::vector<Block> blocks = FindBlocks();
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  InThreads(search_.threads, [&](unsigned) {
    Worker worker(search_, rules);
    for (;;) {
      const std::size_t begin = next.fetch_add(kBlocksAtOnce);
      if (begin >= blocks.size() || search_.stop.stop_requested()) {
        break;
      }
      const std::size_t end = std::min(begin + kBlocksAtOnce, blocks.size());
      for (std::size_t i = begin; i < end; ++i) {
        if (i + 1 < end) {
          worker.Await(blocks[i + 1]);
        }
        worker.Take(blocks[i]);
      }
    }
    const std::lock_guard lock(mutex);
    AddStats(worker.stats(), stats);
  });
}

}  // namespace sluis::linker::candidate
