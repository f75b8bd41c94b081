#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/crypto/crypto.h"
#include "common/store/store.h"
#include "common/tlog/writer.h"

// What the tests of the log share.

namespace sluis::common::testing {

// The directory of third-party test data: SLUIS_TEST_DATA, else beside the source tree. Empty if it is not there.
inline std::string TestData(const std::string& below) {
  const char* configured = std::getenv("SLUIS_TEST_DATA");
  const char* source = std::getenv("SLUIS_SOURCE_DIR");
  std::string root = configured != nullptr && *configured != '\0' ? configured
                     : source != nullptr                          ? std::string(source) + "/../shared/data"
                                                                  : std::string();
  const std::string path = root + "/" + below;
  return !root.empty() && std::filesystem::exists(path) ? path : std::string();
}

inline constexpr char kOrigin[] = "log.example/test";

// A key from a seed of 32 equal bytes.
inline SigningKey TestKey(std::uint8_t seed_byte = 7) {
  return SigningKey::FromSeed(SecretBytes::CopyOf(std::vector<std::uint8_t>(32, seed_byte)));
}

inline VerifierKey TestVerifierKey(const std::string& origin = kOrigin, std::uint8_t seed_byte = 7) {
  return {origin, TestKey(seed_byte).public_key};
}

inline std::string TestEntry(std::uint64_t index) { return "{\"release\":" + std::to_string(index) + "}"; }

inline std::vector<std::string> TestEntries(std::uint64_t begin, std::uint64_t end) {
  std::vector<std::string> entries;
  for (std::uint64_t i = begin; i < end; ++i) {
    entries.push_back(TestEntry(i));
  }
  return entries;
}

inline std::vector<std::string> LogTestFamilies() {
  std::vector<std::string> families = LogFamilies();
  families.push_back("business");
  return families;
}

// MTH of RFC 6962, section 2.1, as it is written there: the oracle.
inline Hash256 NaiveRoot(const std::vector<std::string>& entries, std::size_t begin, std::size_t end) {
  if (begin == end) {
    return Sha256("");
  }
  if (end - begin == 1) {
    return Sha256(std::string(1, '\0') + entries[begin]);
  }
  std::size_t k = 1;
  while (2 * k < end - begin) {
    k *= 2;
  }
  const Hash256 left = NaiveRoot(entries, begin, begin + k);
  const Hash256 right = NaiveRoot(entries, begin + k, end);
  return Sha256("\1" + std::string(AsChars(left)) + std::string(AsChars(right)));
}

}  // namespace sluis::common::testing
