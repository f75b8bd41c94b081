#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/integration/world.h"

namespace sluis::testing {

// Everything that the linker of a world keeps, as its operator could read it at most: with the linker's keystore
// opened, every value of every family of its store unsealed.
struct LinkerStoreView {
  // The columns of a register's deliveries, chunk after chunk.
  struct Register {
    std::string pseudonyms;   // 32 bytes each; all zero: absent
    std::string encodings;    // encoding_bytes of the header each
    std::string rows;         // as sealed by the custodian
    std::string tokens;       // 16 bytes each; zero: absent
    std::string linkage_ids;  // 16 bytes each, of the one link set
  };
  std::map<std::string, Register> registers;
  // All other values: what was delivered, chunk descriptions, link sets with their exact reports, kept comparisons,
  // requests, the log.
  std::vector<std::string> records;
  std::vector<std::string> keys;  // of all families
};

// Precondition: the linker is stopped. Fails the test if any value cannot be opened or has an unknown place.
LinkerStoreView OpenLinkerStore(const World& world);

}  // namespace sluis::testing
