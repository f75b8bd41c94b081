#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/spill/spill_directory.h"

namespace sluis::cli {

// Counts distinct keyed hashes exactly, in memory of about 1/64 of theirs, through encrypted temporary files.
class DistinctCounter {
 public:
  // `item_bytes`: length of every item, of which the last 16 bytes must be spread evenly (a hash).
  [[nodiscard]] static absl::StatusOr<DistinctCounter> Create(const common::SpillDirectory& directory,
                                                              std::size_t item_bytes);
  // Errors: as SpillFile::Append.
  [[nodiscard]] absl::Status Add(std::string_view item);
  // Calls `visit` once for each distinct item, in no particular order, and returns their number. Ends the counting.
  // Errors: those of `visit`; as SpillFile and RecordReader.
  [[nodiscard]] absl::StatusOr<std::uint64_t> Finish(const std::function<absl::Status(std::string_view)>& visit);

 private:
  DistinctCounter() = default;
  std::size_t item_bytes_ = 0;
  std::vector<common::SpillFile> buckets_;
};

}  // namespace sluis::cli
