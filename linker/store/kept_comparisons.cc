#include "linker/store/kept_comparisons.h"

#include <mutex>

#include "absl/strings/str_cat.h"
#include "common/crypto/crypto.h"
#include "common/status/status.h"

namespace sluis::linker {

KeptComparisons::KeptComparisons(RecordStore& store, std::span<const DeliveryRecord> deliveries) : store_(store) {
  for (const DeliveryRecord& delivery : deliveries) {
    deliveries_[delivery.header.register_name] = {delivery.name(), delivery.sha256};
  }
}

void KeptComparisons::Between(std::string_view source_a, std::string_view source_b) {
  between_ = {deliveries_.find(source_a)->second};
  if (source_a != source_b) {
    between_.push_back(deliveries_.find(source_b)->second);
  }
}

absl::StatusOr<std::optional<std::string>> KeptComparisons::Find(const ComparisonKey& key, std::uint32_t part) {
  const std::string at = store_.keys_.ComparisonPartKey(key, part);
  SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> sealed, store_.store_.Get(kLinkSets, at));
  if (!sealed) {
    return std::optional<std::string>();
  }
  used_.insert(key);
  absl::StatusOr<std::string> bytes = store_.keys_.OpenComparison(at, *sealed);
  if (!bytes.ok()) {
    ++damaged_parts_;
    return bytes.status();
  }
  return std::optional(*std::move(bytes));
}

absl::Status KeptComparisons::Save(const ComparisonKey& key, std::uint32_t part, std::string_view bytes) {
  // The lock keeps a delivery from being replaced between looking and writing: nothing would delete this then.
  const std::scoped_lock lock(store_.commit_mutex_);
  common::WriteBatch batch;
  for (const Compared& compared : between_) {
    SLUIS_ASSIGN_OR_RETURN(const std::optional<DeliveryRecord> current,
                           store_.reader_.Current(compared.name.register_name));
    if (!current || current->sha256 != compared.sha256) {
      return absl::AbortedError(
          absl::StrCat("register ", compared.name.register_name, ": its delivery was replaced or withdrawn meanwhile"));
    }
    batch.Put(kLinkSets, store_.keys_.ComparedKey(compared.name, key), "");
  }
  const std::string at = store_.keys_.ComparisonPartKey(key, part);
  batch.Put(kLinkSets, at, store_.keys_.SealComparison(at, bytes));
  SLUIS_RETURN_IF_ERROR(store_.store_.Write(batch, /*sync=*/false));
  used_.insert(key);
  return absl::OkStatus();
}

absl::Status KeptComparisons::DropOthers() {
  std::set<std::string> used;
  for (const ComparisonKey& key : used_) {
    used.insert(common::HexEncode(common::AsChars(key)));
  }
  common::WriteBatch batch;
  SLUIS_RETURN_IF_ERROR(DeleteComparisons(
      store_.store_, store_.keys_, [&used](const DeliveryName&, const std::string& id) { return !used.contains(id); },
      batch));
  return batch.empty() ? absl::OkStatus() : store_.store_.Write(batch, /*sync=*/false);
}

}  // namespace sluis::linker
