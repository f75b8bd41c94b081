#include "common/store/store.h"

namespace sluis::common {

void WriteBatch::Put(std::string_view family, std::string_view key, std::string_view value) {
  changes_.push_back({Kind::kPut, std::string(family), std::string(key), std::string(value)});
}

void WriteBatch::Delete(std::string_view family, std::string_view key) {
  changes_.push_back({Kind::kDelete, std::string(family), std::string(key), {}});
}

void WriteBatch::DeletePrefix(std::string_view family, std::string_view prefix) {
  changes_.push_back({Kind::kDeletePrefix, std::string(family), std::string(prefix), {}});
}

void WriteBatch::Append(const WriteBatch& other) {
  // By index over the old size: `other` may be this batch.
  const std::size_t count = other.changes_.size();
  changes_.reserve(changes_.size() + count);
  for (std::size_t i = 0; i < count; ++i) {
    changes_.push_back(other.changes_[i]);
  }
}

}  // namespace sluis::common
