#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "linker/encode/encoding_plan.h"
#include "linker/encode/record_encoder.h"

// A population to attack, and its encodings under a plan. Everything follows from seeds.

namespace sluis::linker::attacks {

enum Field : std::size_t { kGivenName, kSurname, kBorn, kPostcode, kSex, kFields };

// By Field: the names of the features that stand for them in plans.
inline constexpr std::array<std::string_view, kFields> kFieldNames = {"given_name", "surname", "born", "postcode",
                                                                      "sex"};

// Returns the field that the plan's feature is made of. Precondition: its name is one of kFieldNames.
[[nodiscard]] Field FieldOf(const Feature& feature);

struct Person {
  std::array<std::string, kFields> values;  // empty: missing
  // The values of the plan's features, in their order.
  std::vector<std::string_view> Views(const EncodingPlan& plan) const;
};

// Draws people independently: the i-th most frequent of 2,000 surnames and of the given names with a probability
// proportional to 1 / (i + 5), so that the first surname is borne by one in 30; dates of birth 1930 to 2009, 24,000
// postcodes and sex uniformly. Two seeds give two samples of one population.
[[nodiscard]] std::vector<Person> DrawPopulation(std::size_t size, std::uint64_t seed);

// Returns the people as a second register has them, row for row: of each name 4 % are mistyped in one letter and 2 %
// missing, of the dates of birth 1.5 % have day and month swapped or one digit wrong and 2 % are missing, 8 % of the
// postcodes are another one and 5 % missing, 0.5 % of the sexes wrong and 3 % missing.
[[nodiscard]] std::vector<Person> WithSlips(const std::vector<Person>& people, std::uint64_t seed);

// The default plan over the five fields.
[[nodiscard]] EncodingPlan PersonPlan();
// The control that attacks must break: one encoding per field, unhardened, ten bits or so per bigram of a name.
[[nodiscard]] EncodingPlan UnhardenedFieldLevel();
// PersonPlan without fold and noise.
[[nodiscard]] EncodingPlan UnhardenedRecordLevel();

// The encodings of `people` by `plan`, under token and noise keys made from `token_key` and `noise_key`. Of a
// field-level plan the row of the surname.
struct Encodings {
  std::uint32_t words = 0;
  std::vector<std::vector<std::uint64_t>> rows;
  std::vector<std::uint64_t> present;  // by row: the features that the record has, as in Encoding
};
[[nodiscard]] Encodings Encode(const std::vector<Person>& people, const EncodingPlan& plan, std::string_view token_key,
                               std::string_view noise_key);

// The folded positions of a token's first `count` draws: what an attacker would like to find.
[[nodiscard]] std::vector<std::uint16_t> PositionsOf(const EncodingPlan& plan, std::string_view token_key,
                                                     std::size_t feature, std::string_view token, std::size_t count);

// The number of set bits.
[[nodiscard]] int Ones(const std::vector<std::uint64_t>& row);
[[nodiscard]] double Dice(const std::vector<std::uint64_t>& a, const std::vector<std::uint64_t>& b);

}  // namespace sluis::linker::attacks
