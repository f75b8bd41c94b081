#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "linker/encode/encoding_plan.h"
#include "tests/linker/encode/attacks/population.h"

// Published attacks on similarity-preserving encodings, each as a number: what an attacker gets. Where a choice is the
// attacker's, it is made in the attacker's favour.

namespace sluis::linker::attacks {

// Share of the people whose surname an attacker names correctly who sorts equal encodings by frequency and puts the
// surnames of a sample of the population, sorted likewise, beside them. Encodings are
// grouped that differ in at most `radius` bits from the first of their group. Source: Kuzu et al. (2011); the grouping
// is ours.
[[nodiscard]] double FrequencyAlignment(const Encodings& encodings, const std::vector<Person>& people,
                                        const std::vector<Person>& sample, int radius = 0);

// The distance within which encodings of equal values stay under the plan's noise: the mean and six standard
// deviations. The plan, noise included, is known to the linker. 0 without noise.
[[nodiscard]] int NoiseRadius(const EncodingPlan& plan);

// How unevenly bits are set, which is what pattern mining lives on. Source of the measures: Franke et al. (2021).
struct BitLeakage {
  double deviation = 0;    // standard deviation of the bits' frequencies
  double gini = 0;         // Gini coefficient of the bits' frequencies
  double entropy_gap = 0;  // 1 - mean binary entropy of the bits
};
[[nodiscard]] BitLeakage MeasureBits(const Encodings& encodings);

// Correlation of the number of set bits with the length of given name and surname together, in bytes.
[[nodiscard]] double LengthCorrelation(const Encodings& encodings, const std::vector<Person>& people);

// Name tokens of which an attacker learns something by co-occurrence: bits whose columns correlate, or go against each
// other (as XOR makes them), form groups of three or more. Both counts favour the attacker: the correlation from which
// bits belong together is the best one afterwards, and the token that a group stands for is told from the truth instead
// of guessed from frequencies. After Christen et al. (2018), Pattern-mining based cryptanalysis of Bloom filters.
struct Mined {
  // Tokens of which four in five bits of a group are positions. Not defined, and 0, where a token has no positions of
  // its own in the finished encoding: under diffusion, balancing, salting and min-hash.
  std::size_t positions = 0;
  // Tokens whose bearers a group tells: the majority of its bits correlates with having the token by 0.7 or more.
  // Defined under every profile.
  std::size_t bearers = 0;
};
[[nodiscard]] Mined PatternMining(const Encodings& encodings, const std::vector<Person>& people,
                                  const EncodingPlan& plan, std::string_view token_key);

// Where the likeness of two encodings is looked for.
enum class Channel {
  kBits,     // Dice's coefficient
  kOnes,     // how near the numbers of set bits are
  kPresent,  // whether the same features are there
};

// Probability that a person's encodings in two deliveries are more similar than those of two different people; 0.5 is
// no link at all. Row i of both is the same person.
[[nodiscard]] double LinkAdvantage(const Encodings& a, const Encodings& b, Channel channel = Channel::kBits);

// Share of the people whose surname is read by who can encode: a custodian's token seeds and a list of all surnames.
// `surnames`: encodings of records that hold the surname alone, row i named names[i].
[[nodiscard]] double DictionaryAttack(const Encodings& encodings, const std::vector<Person>& people,
                                      const Encodings& surnames, const std::vector<std::string>& names);

// Share of the overlap that is re-identified from similarities alone: the attacker encodes own plain records under a
// key of the attacker's, describes each record of either side by its similarities to its own side's nearest others, and
// pairs the records whose descriptions are mutually nearest. The first `overlap` records of both are the same people.
// After Vidanage et al. (2020), A graph matching attack on privacy-preserving record linkage, without its hill
// climbing.
[[nodiscard]] double GraphMatching(const Encodings& encodings, const Encodings& plain, std::size_t overlap);

}  // namespace sluis::linker::attacks
