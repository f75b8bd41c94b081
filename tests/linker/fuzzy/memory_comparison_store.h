#pragma once

#include <map>
#include <string>
#include <utility>

#include "linker/fuzzy/comparison_store.h"

namespace sluis::linker::testing {

// Keeps parts in memory, open to tests that damage them or count.
struct MemoryComparisonStore : ComparisonStore {
  absl::StatusOr<std::optional<std::string>> Find(const ComparisonKey& key, std::uint32_t part) override {
    ++finds;
    if (!find_error.ok()) return find_error;
    const auto found = parts.find({key, part});
    return found == parts.end() ? std::nullopt : std::optional(found->second);
  }
  absl::Status Save(const ComparisonKey& key, std::uint32_t part, std::string_view bytes) override {
    if (!save_error.ok()) return save_error;
    ++saves;
    parts[{key, part}] = bytes;
    return absl::OkStatus();
  }

  std::map<std::pair<ComparisonKey, std::uint32_t>, std::string> parts;
  int finds = 0, saves = 0;
  absl::Status find_error, save_error;
};

}  // namespace sluis::linker::testing
