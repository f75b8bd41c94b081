#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/secret.h"
#include "linker/fuzzy/compare.h"

// Where finished comparisons are kept, so that a run after a crash, or with one more source, need not do them again.

namespace sluis::linker {

// SHA-256 over all that a comparison's result depends on; see KeyOfComparison.
using ComparisonKey = common::Hash256;

inline constexpr std::size_t kMaxComparisonPartBytes = std::size_t{16} << 20;

// Byte strings under a key and the number of a part. What is kept holds row numbers, scores and counts: who is linked
// with whom, hence personal data. It needs no order, no iteration and no transactions: a part is trusted only as far
// as its checksum goes, and part 0, which counts the others, is saved last.
class ComparisonStore {
 public:
  virtual ~ComparisonStore() = default;
  // Says between which sources, by name, the comparison is that the next calls are about; one name twice: within it.
  // For stores that delete what they keep of a source when the source goes.
  virtual void Between(std::string_view /*source_a*/, std::string_view /*source_b*/) {}
  // Returns what Save was last given for this key and part, or nothing. Errors: those of the medium.
  [[nodiscard]] virtual absl::StatusOr<std::optional<std::string>> Find(const ComparisonKey& key,
                                                                        std::uint32_t part) = 0;
  // Keeps `bytes`, at most kMaxComparisonPartBytes, whole or not at all also if the process dies. Errors: those of the
  // medium.
  [[nodiscard]] virtual absl::Status Save(const ComparisonKey& key, std::uint32_t part, std::string_view bytes) = 0;
};

// Returns SHA-256 over the records of `source` as Compare and CompareFields see them; not its name, nor exact tokens.
[[nodiscard]] common::Hash256 DigestOf(const MatchSource& source);

// Returns the key of Compare or CompareFields with these arguments. `digest_a`, `digest_b`: of the sides' sources;
// `digest_b` is not looked at if `b` is null. Two comparisons have one key if and only if the version of the algorithm,
// the plan's settings for comparing, the seed, `repeats`, the encodings, the rows left out and the decisions are equal.
// Threads and kernel are no part of it, since results do not depend on them.
[[nodiscard]] ComparisonKey KeyOfComparison(const CompareSide& a, const common::Hash256& digest_a, const CompareSide* b,
                                            const common::Hash256& digest_b, bool repeats, const MatchPlan& plan,
                                            std::uint64_t seed, std::span<const ReviewDecision> decisions = {});

// Keeps `result` under `key` in parts of at most kMaxComparisonPartBytes. Errors: those of `store`; then nothing is
// found under `key` that was not there before.
[[nodiscard]] absl::Status SaveComparison(ComparisonStore& store, const ComparisonKey& key,
                                          const CompareResult& result);

// Returns what SaveComparison kept under `key`, equal in all but `seconds`, or nothing if there is none or a part is
// missing. Errors: DATA_LOSS if bytes are damaged, of another key or of another format, or pair records that `a` and
// `b` (null: within `a`) do not have: do the comparison again; those of `store`.
[[nodiscard]] absl::StatusOr<std::optional<CompareResult>> FindComparison(ComparisonStore& store,
                                                                          const ComparisonKey& key,
                                                                          const MatchSource& a, const MatchSource* b);

}  // namespace sluis::linker
