#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "common/permit/permit.h"
#include "tests/linker/encode/attacks/population.h"

// What the linker gets from what it stores beside the bits of encodings: which features are missing, and the tokens of
// match keys.

namespace sluis::linker::attacks {

// How much the set of missing features, the mask, tells people apart.
struct MaskLeakage {
  double entropy = 0;  // of the mask, in bits
  double full = 0;     // share of the records that miss nothing
  double unique = 0;   // share of the records whose mask no other has
  double rare = 0;     // share of the records whose mask at most ten have
};
[[nodiscard]] MaskLeakage MeasureMasks(std::span<const std::uint64_t> present);

// Share of the records that miss a feature, and of which the number of set bits tells which: the attacker guesses for
// each number the mask that is most frequent there among the even rows, and is judged by the odd ones. 0 is what an
// attacker gets who always guesses that nothing is missing.
[[nodiscard]] double MasksReadFromOnes(const Encodings& encodings);

// Share of the people of whom an attacker names the components of a match key who sorts equal tokens by frequency and
// puts the keys of a sample of the population, sorted likewise, beside them. Tokens are equal if and only if the keys'
// inputs to the OPRF are (match_key.h). Components name fields by kFieldNames. People without the key count as not
// named.
[[nodiscard]] double MatchKeyAlignment(const common::MatchKey& key, const std::vector<Person>& people,
                                       const std::vector<Person>& sample);

}  // namespace sluis::linker::attacks
