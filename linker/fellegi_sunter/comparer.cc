#include "linker/fellegi_sunter/comparer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "linker/kernel/parallel.h"

namespace sluis::linker {
namespace {

constexpr std::size_t kBatchPairs = 65'536;
constexpr std::uint64_t kMostTableCells = std::uint64_t{256} << 20;  // a byte each
constexpr std::uint32_t kCutDenominator = 10'000;

// SplitMix64 (Steele, Lea and Flood 2014): the same draws on every machine, unlike the standard's distributions.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(seed) {}

  // Uniform below `limit`, but for a bias of at most limit / 2^64.
  std::uint32_t Below(std::uint64_t limit) {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::uint32_t>(static_cast<Wide>(z) * limit >> 64);
  }

 private:
  std::uint64_t state_;
};

std::size_t Records(FieldColumns columns) { return columns.empty() ? 0 : columns[0].records(); }

std::vector<CandidatePair> PairsWithin(std::size_t records, std::size_t wanted, Draws& draws) {
  std::vector<CandidatePair> pairs;
  if (records < 2) {
    return pairs;
  }
  if (records * (records - 1) / 2 <= wanted) {
    for (std::uint32_t i = 0; i < records; ++i) {
      for (std::uint32_t j = i + 1; j < records; ++j) {
        pairs.push_back({i, j});
      }
    }
    return pairs;
  }
  while (pairs.size() < wanted) {
    const std::uint32_t i = draws.Below(records);
    const std::uint32_t j = draws.Below(records);
    if (i != j) {
      pairs.push_back({std::min(i, j), std::max(i, j)});
    }
  }
  std::sort(pairs.begin(), pairs.end(),
            [](const CandidatePair& x, const CandidatePair& y) { return x.a != y.a ? x.a < y.a : x.b < y.b; });
  return pairs;
}

std::vector<CandidatePair> PairsAcross(std::size_t records_a, std::size_t records_b, std::size_t wanted, Draws& draws) {
  std::vector<CandidatePair> pairs;
  if (records_a == 0 || records_b == 0) {
    return pairs;
  }
  if (records_a <= wanted / records_b) {
    for (std::uint32_t i = 0; i < records_a; ++i) {
      for (std::uint32_t j = 0; j < records_b; ++j) {
        pairs.push_back({i, j});
      }
    }
    return pairs;
  }
  for (std::size_t p = 0; p < wanted; ++p) {
    const std::uint32_t i = draws.Below(records_a);
    pairs.push_back({i, draws.Below(records_b)});
  }
  std::sort(pairs.begin(), pairs.end(),
            [](const CandidatePair& x, const CandidatePair& y) { return x.a != y.a ? x.a < y.a : x.b < y.b; });
  return pairs;
}

bool Equal(const Overlap& overlap) { return overlap.common == overlap.bits_a && overlap.common == overlap.bits_b; }

}  // namespace

absl::StatusOr<std::vector<FieldCuts>> CutPoints(const FellegiSunterPlan& plan, FieldColumns a, FieldColumns b,
                                                 std::uint64_t seed, std::size_t pairs) {
  SLUIS_RETURN_IF_ERROR(plan.Validate());
  SLUIS_RETURN_IF_ERROR(CheckComparable(a, b, plan.fields.size()));
  Draws draws(seed);
  const std::vector<CandidatePair> drawn = PairsAcross(Records(a), Records(b), pairs, draws);
  std::vector<FieldCuts> cuts(plan.fields.size());
  for (std::size_t f = 0; f < cuts.size(); ++f) {
    std::vector<CandidatePair> rows;
    for (const CandidatePair& pair : drawn) {
      if (a[f].row(pair.a) != FieldColumn::kMissing && b[f].row(pair.b) != FieldColumn::kMissing) {
        rows.push_back({a[f].row(pair.a), b[f].row(pair.b)});
      }
    }
    SLUIS_ASSIGN_OR_RETURN(const std::vector<Overlap> overlaps, PairScores(rows, a[f].encodings(), b[f].encodings()));
    std::vector<double> different;
    for (const Overlap& overlap : overlaps) {
      if (!Equal(overlap)) {
        different.push_back(overlap.dice());
      }
    }
    if (!different.empty()) {
      const auto middle = different.begin() + static_cast<std::ptrdiff_t>(different.size() / 2);
      std::nth_element(different.begin(), middle, different.end());
      cuts[f].chance_dice = *middle;
    }
    for (const double cut : plan.fields[f].similarity_cuts) {
      const double dice = cuts[f].chance_dice + cut * (1 - cuts[f].chance_dice);
      cuts[f].dice.push_back({static_cast<std::uint32_t>(std::lround(dice * kCutDenominator)), kCutDenominator});
    }
  }
  return cuts;
}

absl::StatusOr<FieldComparer> FieldComparer::Create(FieldColumns a, FieldColumns b, std::vector<FieldCuts> cuts,
                                                    Kernel kernel, std::uint64_t expected_pairs, unsigned threads) {
  SLUIS_RETURN_IF_ERROR(CheckComparable(a, b, cuts.size()));
  SLUIS_ASSIGN_OR_RETURN(const Kernel resolved, ResolveKernel(kernel));
  FieldComparer comparer(a, b, resolved);
  std::vector<std::pair<std::uint64_t, std::size_t>> cells;  // cells of its table, field
  for (std::size_t f = 0; f < cuts.size(); ++f) {
    comparer.rules_.emplace_back(cuts[f].dice, a[f].encodings().bits());
    cells.emplace_back((a[f].encodings().rows() + 1) * (b[f].encodings().rows() + 1), f);
  }
  comparer.tables_.resize(cuts.size());
  std::ranges::sort(cells);
  std::uint64_t total = 0;
  for (const auto& [size, field] : cells) {
    total += size;
    if (size > expected_pairs || total > kMostTableCells) break;
    SLUIS_RETURN_IF_ERROR(comparer.Tabulate(field, threads));
  }
  return comparer;
}

absl::Status FieldComparer::Tabulate(std::size_t field, unsigned threads) {
  const EncodingTable& a = a_[field].encodings();
  const EncodingTable& b = b_[field].encodings();
  const std::size_t width = b.rows() + 1;
  LevelTable& table = tables_[field];
  table.assign((a.rows() + 1) * width, kMissingLevel);
  SLUIS_ASSIGN_OR_RETURN(const kernel::InstructionSet* const instructions, kernel::SelectInstructionSet(kernel_));
  kernel::InThreads(threads, [&](unsigned t) {
    const kernel::Range part = kernel::PartOf(a.rows(), t, threads);
    std::vector<CandidatePair> rows(b.rows());
    std::vector<std::uint32_t> common(b.rows());
    for (std::size_t i = part.begin; i < part.end; ++i) {
      for (std::uint32_t j = 0; j < b.rows(); ++j) rows[j] = {static_cast<std::uint32_t>(i), j};
      instructions->count_common(a.data(), b.data(), a.words(), rows.data(), rows.size(), common.data());
      for (std::size_t j = 0; j < b.rows(); ++j) {
        table[i * width + j] = rules_[field].Level(common[j], a.popcount(i), b.popcount(j));
      }
    }
  });
  return absl::OkStatus();
}

void FieldComparer::LookUpField(std::span<const CandidatePair> pairs, std::size_t field,
                                std::span<PatternCode> patterns) const {
  const std::uint32_t* const rows_a = a_[field].rows().data();
  const std::uint32_t* const rows_b = b_[field].rows().data();
  const auto missing_a = static_cast<std::uint32_t>(a_[field].encodings().rows());
  const auto missing_b = static_cast<std::uint32_t>(b_[field].encodings().rows());
  const std::size_t width = missing_b + std::size_t{1};
  const AgreementLevel* const table = tables_[field].data();
  static_assert(FieldColumn::kMissing == std::numeric_limits<std::uint32_t>::max(), "above every row");
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    const std::size_t i = std::min(rows_a[pairs[p].a], missing_a);
    const std::size_t j = std::min(rows_b[pairs[p].b], missing_b);
    patterns[p] |= AtField(table[i * width + j], field);
  }
}

absl::Status FieldComparer::CompareField(std::span<const CandidatePair> pairs, std::size_t field,
                                         std::span<PatternCode> patterns) const {
  const FieldColumn& a = a_[field];
  const FieldColumn& b = b_[field];
  std::vector<CandidatePair> rows;
  std::vector<std::uint32_t> where;
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    const CandidatePair row{a.row(pairs[p].a), b.row(pairs[p].b)};
    if (row.a != FieldColumn::kMissing && row.b != FieldColumn::kMissing) {
      rows.push_back(row);
      where.push_back(static_cast<std::uint32_t>(p));
    }
  }
  SLUIS_ASSIGN_OR_RETURN(const std::vector<Overlap> overlaps, PairScores(rows, a.encodings(), b.encodings(), kernel_));
  for (std::size_t r = 0; r < overlaps.size(); ++r) {
    const Overlap& overlap = overlaps[r];
    patterns[where[r]] |= AtField(rules_[field].Level(overlap.common, overlap.bits_a, overlap.bits_b), field);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<PatternCode>> FieldComparer::Compare(std::span<const CandidatePair> pairs) const {
  const std::size_t records_a = Records(a_);
  const std::size_t records_b = Records(b_);
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    if (pairs[p].a >= records_a || pairs[p].b >= records_b) {
      return absl::InvalidArgumentError(absl::StrCat("pair ", p, ": names a record beyond its source of ", records_a,
                                                     " and ", records_b, " records"));
    }
  }
  std::vector<PatternCode> patterns(pairs.size(), 0);
  for (std::size_t begin = 0; begin < pairs.size(); begin += kBatchPairs) {
    const std::size_t count = std::min(kBatchPairs, pairs.size() - begin);
    const std::span<const CandidatePair> batch = pairs.subspan(begin, count);
    const std::span<PatternCode> of_batch = std::span(patterns).subspan(begin, count);
    for (std::size_t f = 0; f < rules_.size(); ++f) {
      if (!tables_[f].empty()) {
        LookUpField(batch, f, of_batch);
      } else {
        SLUIS_RETURN_IF_ERROR(CompareField(batch, f, of_batch));
      }
    }
  }
  return patterns;
}

absl::StatusOr<NonMatchSample> SampleNonMatches(FieldColumns a, FieldColumns b, const std::vector<FieldCuts>& cuts,
                                                SampleFrom from, std::uint64_t seed, std::size_t pairs,
                                                unsigned threads) {
  Draws draws(seed);
  NonMatchSample sample;
  sample.free_of_matches = from == SampleFrom::kWithinSources;
  const auto add = [&](FieldColumns x, FieldColumns y, std::span<const CandidatePair> drawn) -> absl::Status {
    SLUIS_ASSIGN_OR_RETURN(const FieldComparer comparer,
                           FieldComparer::Create(x, y, cuts, Kernel::kAuto, drawn.size(), threads));
    std::vector<absl::Status> statuses(threads);
    std::vector<PatternCounts> counts(threads);
    kernel::InThreads(threads, [&](unsigned t) {
      const kernel::Range part = kernel::PartOf(drawn.size(), t, threads);
      for (std::size_t begin = part.begin; begin < part.end && statuses[t].ok(); begin += kBatchPairs) {
        const auto patterns = comparer.Compare(drawn.subspan(begin, std::min(kBatchPairs, part.end - begin)));
        statuses[t] = patterns.status();
        if (!patterns.ok()) continue;
        counts[t].AddAll(*patterns);
      }
    });
    for (unsigned t = 0; t < threads; ++t) {
      SLUIS_RETURN_IF_ERROR(statuses[t]);
      sample.counts.Merge(counts[t]);
    }
    return absl::OkStatus();
  };
  if (from == SampleFrom::kWithinSources) {
    SLUIS_RETURN_IF_ERROR(CheckComparable(a, b, cuts.size()));
    SLUIS_RETURN_IF_ERROR(add(a, a, PairsWithin(Records(a), pairs / 2, draws)));
    SLUIS_RETURN_IF_ERROR(add(b, b, PairsWithin(Records(b), pairs / 2, draws)));
  } else if (a.data() == b.data()) {
    SLUIS_RETURN_IF_ERROR(add(a, b, PairsWithin(Records(a), pairs, draws)));
  } else {
    SLUIS_RETURN_IF_ERROR(add(a, b, PairsAcross(Records(a), Records(b), pairs, draws)));
  }
  if (sample.counts.total() == 0) {
    return absl::FailedPreconditionError("no pair of records to learn from; give sources of at least two records");
  }
  return sample;
}

}  // namespace sluis::linker
