#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "common/crypto/crypto.h"
#include "common/spill/spill_directory.h"

namespace sluis::cli {

// Finds rows whose key occurred in an earlier row, in bounded memory: keyed 128-bit hashes of the keys are sorted in
// runs of `memory_rows`, spilled encrypted, and merged. Two different keys are taken for equal with a probability below
// rows^2 / 2^129.
class UniqueCheck {
 public:
  // `spill`: where runs go; null: everything must fit `memory_rows`. `key`: 32 random bytes. Memory: 32 bytes a row up
  // to `memory_rows`, and 64 KiB a run while merging.
  UniqueCheck(const common::SpillDirectory* spill, const common::SecretBytes& key, std::size_t memory_rows);

  // Errors: RESOURCE_EXHAUSTED with reason UNIQUE_TOO_MANY_ROWS without a spill directory; as SpillFile::Append.
  [[nodiscard]] absl::Status Add(std::string_view unique_key, std::uint64_t row, std::uint64_t line);
  // Calls `repeated` for every row but the first of each key, in no particular order. Once only.
  [[nodiscard]] absl::Status Finish(const std::function<void(std::uint64_t row, std::uint64_t line)>& repeated);

 private:
  struct Entry {
    std::array<std::uint8_t, 16> hash;
    std::uint64_t row;
    std::uint64_t line;
    auto operator<=>(const Entry&) const = default;
  };
  [[nodiscard]] absl::Status SpillRun();

  const common::SpillDirectory* spill_;
  common::HmacSha256 hasher_;
  std::size_t memory_rows_;
  std::vector<Entry> entries_;
  std::vector<common::SpillFile> runs_;
};

}  // namespace sluis::cli
