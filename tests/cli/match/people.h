#pragma once

#include <cstdint>
#include <string>

namespace sluis::cli::testing {

// The schema of PeopleCsv: nr (key), bsn (identifier), and six quasi fields.
[[nodiscard]] std::string PeopleSchema();

struct People {
  std::uint32_t first = 0;  // persons [first, end)
  std::uint32_t end = 0;
  std::uint32_t errors_seed = 0;  // 0: no errors; else one typing error in about every second record
  std::string id_prefix = "p";    // record ids are this and the person's number
};

// Returns records of made-up persons as CSV. A person's values depend on its number alone, errors on the seed too. The
// identifier is empty.
[[nodiscard]] std::string PeopleCsv(const People& people);

}  // namespace sluis::cli::testing
