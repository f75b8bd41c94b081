#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace sluis::testing {

// Looks for known texts in the raw bytes of files, whatever their format. It finds what stands there in the clear, in
// capitals or not; it does not undo compression or encryption.
class LeakScan {
 public:
  // Texts of at least 6 bytes; shorter ones would be found by chance.
  explicit LeakScan(const std::set<std::string>& texts);

  // The paths of the regular files at or below `path` that hold one of the texts; counts the files that were read.
  std::vector<std::string> Search(const std::string& path);
  std::uint64_t files_read() const { return files_read_; }

 private:
  std::vector<std::set<std::string>> by_length_;  // in lower case
  std::uint64_t files_read_ = 0;
};

}  // namespace sluis::testing
