#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "linker/fuzzy/comparison_store.h"
#include "linker/store/record_store.h"

namespace sluis::linker {

// The comparisons of a project, sealed in its store, for one linkage. What is kept of two deliveries is deleted with
// the batch that replaces, withdraws or erases one of them, and by DropOthers once no linkage needs it any more: at
// most what the newest linkage used remains. Not thread-safe.
class KeptComparisons : public ComparisonStore {
 public:
  // `deliveries`: those that are linked. `store` must outlive this.
  KeptComparisons(RecordStore& store, std::span<const DeliveryRecord> deliveries);

  void Between(std::string_view source_a, std::string_view source_b) override;
  // Errors: DATA_LOSS if the part was damaged or moved.
  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Find(const ComparisonKey& key, std::uint32_t part) override;
  // Errors: ABORTED if one of the two deliveries is no longer current; those of common::Store.
  [[nodiscard]] absl::Status Save(const ComparisonKey& key, std::uint32_t part, std::string_view bytes) override;

  // Deletes the project's comparisons that were neither found nor saved through this.
  [[nodiscard]] absl::Status DropOthers();
  // How many parts were found that did not open.
  std::uint32_t damaged_parts() const { return damaged_parts_; }

 private:
  struct Compared {
    DeliveryName name;
    common::Hash256 sha256;
  };

  RecordStore& store_;
  std::map<std::string, Compared, std::less<>> deliveries_;  // by register
  std::vector<Compared> between_;                            // one, or two
  std::set<common::Hash256> used_;
  std::uint32_t damaged_parts_ = 0;
};

}  // namespace sluis::linker
