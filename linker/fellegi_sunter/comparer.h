#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "linker/fellegi_sunter/field_column.h"
#include "linker/fellegi_sunter/level_rule.h"
#include "linker/fellegi_sunter/pattern.h"
#include "linker/kernel/similarity.h"

namespace sluis::linker {

// Where a field's similarity levels begin, as Dice coefficients of encodings, ascending.
struct FieldCuts {
  double chance_dice = 0;  // the median Dice of two different values
  std::vector<Ratio> dice;
};

// Returns the cut points of each field: chance_dice + s (1 - chance_dice) for each similarity cut s of its rule,
// in ten-thousandths. The bits that two different values share by chance depend on how full the encodings are, so a
// fixed Dice would mean something else under another plan. chance_dice is the median over those of `pairs` random pairs
// of a record of `a` and one of `b` that have different values of the field; 0 if there are none. Matches among the
// pairs are too few to move a median. Deterministic by `seed`. Errors: as FellegiSunterPlan::Validate and
// CheckComparable.
[[nodiscard]] absl::StatusOr<std::vector<FieldCuts>> CutPoints(const FellegiSunterPlan& plan, FieldColumns a,
                                                               FieldColumns b, std::uint64_t seed,
                                                               std::size_t pairs = 20'000);

// Compares pairs of records field by field. Thread-safe.
//
// Records are many and the values of a field few. Where that saves work, the levels of all pairs of values are taken
// once, into a table of a byte each, and a pair of records is then two lookups a field.
class FieldComparer {
 public:
  // `a` and `b` must outlive the comparer; for pairs within a source they are the same. `expected_pairs`: about how
  // many pairs will be compared, on which it depends what is tabulated (up to 256 MiB), and nothing else does; by
  // `threads` at once. Errors: as CheckComparable; FAILED_PRECONDITION if this machine lacks `kernel`.
  [[nodiscard]] static absl::StatusOr<FieldComparer> Create(FieldColumns a, FieldColumns b, std::vector<FieldCuts> cuts,
                                                            Kernel kernel = Kernel::kAuto,
                                                            std::uint64_t expected_pairs = 0, unsigned threads = 1);

  // Returns the pattern of each pair, in the order of `pairs`. Errors: INVALID_ARGUMENT if a pair names a record that
  // its source does not have (the message names the pair's index). Memory besides the result: that of 65,536 pairs.
  [[nodiscard]] absl::StatusOr<std::vector<PatternCode>> Compare(std::span<const CandidatePair> pairs) const;

 private:
  // Levels by value of a and of b, in rows of one more than b has values; the last row and column: missing. Or empty.
  using LevelTable = std::vector<AgreementLevel>;

  FieldComparer(FieldColumns a, FieldColumns b, Kernel kernel) : a_(a), b_(b), kernel_(kernel) {}
  [[nodiscard]] absl::Status Tabulate(std::size_t field, unsigned threads);
  void LookUpField(std::span<const CandidatePair> pairs, std::size_t field, std::span<PatternCode> patterns) const;
  [[nodiscard]] absl::Status CompareField(std::span<const CandidatePair> pairs, std::size_t field,
                                          std::span<PatternCode> patterns) const;

  FieldColumns a_;
  FieldColumns b_;
  Kernel kernel_;
  std::vector<LevelRule> rules_;    // by field
  std::vector<LevelTable> tables_;  // by field
};

// Random pairs, nearly all of them of two persons, as patterns.
struct NonMatchSample {
  PatternCounts counts;
  // Whether no pair can be one person. Then the sample also tells which fields depend on each other, and what the model
  // wrongly takes for matches.
  bool free_of_matches = false;
};

enum class SampleFrom {
  // Pairs within a and pairs within b, half each: not one is a match if no source has two records of a person.
  kWithinSources,
  // Pairs of a record of a and another of b, a few of them matches, which the fit takes out. For sources with
  // duplicates; for deduplication a and b are the same columns.
  kAcrossSources,
};

// Returns the patterns of about `pairs` random pairs; of all pairs where there are no more. So many by default that
// relatives are among them, one pair in a few thousand: two records with a surname and an address in common are what a
// match must be told from. Deterministic by `seed`, on all machines, with any number of `threads` (at least 1). Memory:
// 8 bytes a pair of one source. Errors: as FieldComparer; FAILED_PRECONDITION if there is no pair to draw.
[[nodiscard]] absl::StatusOr<NonMatchSample> SampleNonMatches(FieldColumns a, FieldColumns b,
                                                              const std::vector<FieldCuts>& cuts, SampleFrom from,
                                                              std::uint64_t seed, std::size_t pairs = 25'000'000,
                                                              unsigned threads = 1);

}  // namespace sluis::linker
