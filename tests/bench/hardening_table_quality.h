#pragma once

#include <string>
#include <vector>

#include "linker/encode/encoding_plan.h"

// How well registers link under a hardening profile, by the whole of MatchRecords without truth, held against the truth
// afterwards.

namespace sluis::linker {

// Two registers with truth. Values are by record and field, empty for missing.
struct QualityData {
  std::string name;
  std::vector<FieldDescription> fields;
  std::vector<DateOrder> date_orders;
  std::string birth_date;  // the field that salts in place of another data set's
  struct Register {
    std::vector<std::vector<std::string>> records;
    std::vector<std::string> persons;  // of each record; no person is twice in a register
  };
  Register a, b;
};

// Returns made-up people: 5,000 against 5,000, of whom 4,000 are in both, the second with slips (WithSlips). Likewise
// relatives who share surname and address, of whom three in ten have another address in the second register. Then,
// where the data are at hand (linkage_data.h), FEBRL4, and registers 1 and 2 of the five-party set.
[[nodiscard]] std::vector<QualityData> AllQualityData();

struct Quality {
  bool credible = false;  // if not, nothing was linked
  double precision = 0, recall = 0, f1 = 0;
};

// Links `data` as `profile` says: its profile, hashing, bits, insertions and hardening, with the default weights of the
// data's own fields; if it has a stable section, with the one that those fields have by default. Aborts if that fails.
[[nodiscard]] Quality LinkQuality(const QualityData& data, const EncodingPlan& profile);

}  // namespace sluis::linker
