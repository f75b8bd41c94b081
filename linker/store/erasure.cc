// The end of a project, and of what was learnt from deliveries.

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "common/status/status.h"
#include "linker/store/record_store.h"

namespace sluis::linker {
namespace {

absl::StatusOr<std::uint64_t> CountKeys(const common::StoreView& view, std::string_view family,
                                        const std::string& prefix) {
  std::uint64_t count = 0;
  SLUIS_RETURN_IF_ERROR(view.Scan(family, prefix, {}, [&count](std::string_view, std::string_view) {
    ++count;
    return true;
  }));
  return count;
}

absl::StatusOr<bool> HasKeys(const common::StoreView& view, std::string_view family, const std::string& prefix) {
  bool found = false;
  SLUIS_RETURN_IF_ERROR(view.Scan(family, prefix, {}, [&found](std::string_view, std::string_view) {
    found = true;
    return false;
  }));
  return found;
}

}  // namespace

absl::Status DeleteComparisons(const common::StoreView& view, const ProjectKeys& keys,
                               const std::function<bool(const DeliveryName&, const std::string&)>& is_to_go,
                               common::WriteBatch& batch) {
  const std::string prefix = keys.ComparedPrefix();
  std::multimap<std::string, std::string> keys_of_id;
  std::set<std::string> to_go;
  SLUIS_RETURN_IF_ERROR(view.Scan(kLinkSets, prefix, {}, [&](std::string_view key, std::string_view) {
    const std::string_view rest = key.substr(prefix.size());
    const std::size_t id_at = rest.rfind('/') + 1;
    const std::size_t delivery_at = rest.find('/') + 1;
    const std::string id(rest.substr(id_at));
    keys_of_id.emplace(id, key);
    if (is_to_go({std::string(rest.substr(0, delivery_at - 1)),
                  std::string(rest.substr(delivery_at, id_at - 1 - delivery_at))},
                 id)) {
      to_go.insert(id);
    }
    return true;
  }));
  for (const std::string& id : to_go) {
    batch.DeletePrefix(kLinkSets, keys.ComparisonPrefixOf(id));
    const auto [first, last] = keys_of_id.equal_range(id);
    for (auto key = first; key != last; ++key) {
      batch.Delete(kLinkSets, key->second);
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<ErasedCounts> CollectErasure(const common::StoreView& view, const std::string& project,
                                            common::WriteBatch& batch) {
  const std::string prefix = project + "/";
  ErasedCounts counts;
  SLUIS_ASSIGN_OR_RETURN(counts.deliveries, CountKeys(view, kDeliveries, ProjectKeys::DeliveryPrefixOf(project)));
  SLUIS_ASSIGN_OR_RETURN(counts.link_sets, CountKeys(view, kLinkSets, ProjectKeys::LinkSetPrefixOf(project)));
  for (const std::string_view family : {kDeliveries, kChunks, kLinkSets}) {
    SLUIS_ASSIGN_OR_RETURN(const bool found, HasKeys(view, family, prefix));
    if (found) {
      batch.DeletePrefix(family, prefix);
    }
  }
  return counts;
}

absl::StatusOr<PreparedErasure> RecordStore::PrepareErasure() {
  PreparedErasure prepared;
  std::vector<std::unique_lock<std::mutex>>& locks = prepared.change.locks;
  locks.emplace_back(linkage_mutex_, std::try_to_lock);
  if (!locks.back().owns_lock()) {
    return absl::AbortedError("a linkage of the project is running; its records can be erased when it has ended");
  }
  locks.emplace_back(commit_mutex_);
  // A chunk that is being stored is stored before, and deleted; one that comes later finds no upload.
  for (std::mutex& upload : upload_mutexes_) {
    locks.emplace_back(upload);
  }
  SLUIS_ASSIGN_OR_RETURN(prepared.counts, CollectErasure(store_, project(), prepared.change.batch));
  return prepared;
}

}  // namespace sluis::linker
