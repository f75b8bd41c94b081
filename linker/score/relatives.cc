#include "linker/score/relatives.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "linker/score/bit_model.h"

namespace sluis::linker {
namespace {

constexpr std::size_t kMostLooked = 50'000;
// Of what a record scores with itself. Relatives who share a surname, a sex or a part of the birth date score -0.7 to
// 0.3, and strangers seldom more.
constexpr double kLittle = 0.2;
constexpr double kAbove = 0.5;     // so wide is what lies above, where a person's own records are as many as below
constexpr double kDeviations = 3;  // that are chance

bool IsSet(std::span<const std::uint64_t> row, std::size_t bit) { return ((row[bit / 64] >> (bit % 64)) & 1) != 0; }

double Score(const BitModel& model, std::size_t begin, std::span<const std::uint64_t> x,
             std::span<const std::uint64_t> y) {
  double score = 0;
  for (std::size_t bit = begin; bit < model.w11.size(); ++bit) {
    const bool in_x = IsSet(x, bit), in_y = IsSet(y, bit);
    score += (in_x ? (in_y ? model.w11 : model.w10) : (in_y ? model.w01 : model.w00))[bit];
  }
  return score;
}

}  // namespace

absl::StatusOr<Relatives> CountRelatives(const EncodingTable& a, const EncodingTable& b,
                                         std::span<const CandidatePair> links, std::span<const double> frequencies_a,
                                         std::span<const double> frequencies_b, std::size_t stable_begin) {
  if (a.bits() != b.bits() || a.bits() != frequencies_a.size() || stable_begin >= a.bits()) {
    return absl::InvalidArgumentError(absl::StrCat("relatives: encodings of ", a.bits(), " and ", b.bits(), " bits, ",
                                                   frequencies_a.size(), " frequencies, a stable section from bit ",
                                                   stable_begin, "; widths must be equal and the section inside"));
  }
  SLUIS_ASSIGN_OR_RETURN(const BitModel model, BitModel::Prior(frequencies_a, frequencies_b));
  const std::size_t step = links.size() / kMostLooked + 1;
  double looked = 0, below = 0, above = 0;
  for (std::size_t i = 0; i < links.size(); i += step) {
    const auto x = a.row(links[i].a), y = b.row(links[i].b);
    const double itself = (Score(model, stable_begin, x, x) + Score(model, stable_begin, y, y)) / 2;
    const double score = Score(model, stable_begin, x, y);
    looked += 1;
    below += score < kLittle * itself ? 1 : 0;
    above += score >= kLittle * itself && score < (kLittle + kAbove) * itself ? 1 : 0;
  }
  if (below - above <= kDeviations * std::sqrt(below + above)) return Relatives{};
  return Relatives{(below - above) / looked, below / looked};
}

}  // namespace sluis::linker
