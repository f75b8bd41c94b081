#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sluis::testing {

// Looks for known byte strings, exactly as they are, at every position of other bytes. Among random bytes a pattern of
// n bytes is found by chance at a position with probability 256^-n. Cost: a look-up a position.
class ByteScan {
 public:
  static constexpr std::size_t kShortest = 6;  // bytes of a pattern; shorter ones would be found by chance

  explicit ByteScan(const std::set<std::string>& patterns);

  const std::set<std::string>& patterns() const { return patterns_; }
  // Returns the patterns that occur in `bytes`.
  std::set<std::string> Find(std::string_view bytes) const;

 private:
  static std::uint64_t Prefix(std::string_view bytes, std::size_t at);

  std::set<std::string> patterns_;
  std::unordered_map<std::uint64_t, std::vector<std::string_view>> by_prefix_;  // first six bytes -> patterns
  std::bitset<1 << 20> present_;  // a bit for the hash of each prefix: most positions need no more
};

// Looks for known texts in the raw bytes of files, whatever their format. It finds what stands there in the clear, in
// capitals or not; it does not undo compression or encryption.
class LeakScan {
 public:
  // Texts of at least ByteScan::kShortest bytes.
  explicit LeakScan(const std::set<std::string>& texts);

  // The paths of the regular files at or below `path` that hold one of the texts; counts the files that were read.
  std::vector<std::string> Search(const std::string& path);
  std::uint64_t files_read() const { return files_read_; }

 private:
  ByteScan scan_;  // for texts in lower case
  std::uint64_t files_read_ = 0;
};

}  // namespace sluis::testing
