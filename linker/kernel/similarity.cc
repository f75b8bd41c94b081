#include "linker/kernel/similarity.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"

namespace sluis::linker {

double Overlap::dice() const {
  const std::uint32_t sum = bits_a + bits_b;
  return sum == 0 ? 0.0 : 2.0 * common / sum;
}

double Overlap::jaccard() const {
  const std::uint32_t either = bits_a + bits_b - common;
  return either == 0 ? 0.0 : static_cast<double>(common) / either;
}

bool Overlap::DiceAtLeast(Ratio threshold) const {
  const std::uint64_t sum = bits_a + bits_b;
  return sum == 0 ? threshold.numerator == 0
                  : std::uint64_t{2} * common * threshold.denominator >= threshold.numerator * sum;
}

bool Overlap::JaccardAtLeast(Ratio threshold) const {
  const std::uint64_t either = bits_a + bits_b - common;
  return either == 0 ? threshold.numerator == 0
                     : std::uint64_t{common} * threshold.denominator >= threshold.numerator * either;
}

absl::StatusOr<std::vector<Overlap>> PairScores(std::span<const CandidatePair> pairs, const EncodingTable& a,
                                                const EncodingTable& b, Kernel kernel) {
  if (a.words() != b.words()) {
    return absl::InvalidArgumentError(
        absl::StrCat("encoding width: ", a.bits(), " bits in table a, ", b.bits(), " in table b; they must be equal"));
  }
  SLUIS_ASSIGN_OR_RETURN(const kernel::InstructionSet* const instructions, kernel::SelectInstructionSet(kernel));
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (pairs[i].a >= a.rows() || pairs[i].b >= b.rows()) {
      return absl::InvalidArgumentError(absl::StrCat("candidate pair ", i, ": names a row beyond its table (", a.rows(),
                                                     " and ", b.rows(), " rows)"));
    }
  }
  std::vector<std::uint32_t> common(pairs.size());
  instructions->count_common(a.data(), b.data(), a.words(), pairs.data(), pairs.size(), common.data());
  std::vector<Overlap> overlaps(pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    overlaps[i] = {common[i], a.popcount(pairs[i].a), b.popcount(pairs[i].b)};
  }
  return overlaps;
}

}  // namespace sluis::linker
