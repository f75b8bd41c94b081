#pragma once

#include <cstddef>
#include <span>

#include "absl/status/statusor.h"
#include "linker/kernel/encoding_table.h"
#include "linker/kernel/similarity.h"

namespace sluis::linker {

// Of links, how many are of two persons who share an address, as far as can be told without truth.
struct Relatives {
  double share = 0;  // of the links; 0 unless it is beyond chance
  double most = 0;   // the share of links that disagree in what a person keeps, whatever the reason; 0 if `share` is
};

// Returns how many of `links` are relatives, by the encodings' stable section, the bits from `stable_begin` on. By the
// prior bit model a link scores there between 1, as a record with itself, and less than 0, rather as two strangers.
// Relatives, who share a surname at most, mostly score below 0.2. A person's own records are the fewer the lower the
// score, so that they are at most as many there as between 0.2 and 0.7; what is beyond that is relatives. Of many links
// about 50,000 are looked at.
//
// Errors: INVALID_ARGUMENT if the tables differ in width or stable_begin is not below it. Time: O(links + bits).
[[nodiscard]] absl::StatusOr<Relatives> CountRelatives(const EncodingTable& a, const EncodingTable& b,
                                                       std::span<const CandidatePair> links,
                                                       std::span<const double> frequencies_a,
                                                       std::span<const double> frequencies_b, std::size_t stable_begin);

}  // namespace sluis::linker
