#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "common/status/status.h"
#include "common/store/keys.h"
#include "common/store/store.h"

namespace sluis::common {
namespace {

using Table = std::map<std::string, std::string>;
// A shared table is never changed: a writer clones it first. So a view is a copy of the pointers.
using Tables = std::map<std::string, std::shared_ptr<Table>, std::less<>>;

class MemoryView : public StoreView {
 public:
  explicit MemoryView(Tables tables) : tables_(std::move(tables)) {}

  absl::StatusOr<std::optional<std::string>> Get(std::string_view family, std::string_view key) const override {
    const auto table = tables_.find(family);
    if (table == tables_.end()) {
      return UnknownFamily(family);
    }
    const auto found = table->second->find(std::string(key));
    return found == table->second->end() ? std::nullopt : std::optional<std::string>(found->second);
  }

  absl::Status Scan(std::string_view family, std::string_view prefix, std::string_view start,
                    const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    const auto table = tables_.find(family);
    if (table == tables_.end()) {
      return UnknownFamily(family);
    }
    for (auto entry = table->second->lower_bound(std::string(std::max(prefix, start)));
         entry != table->second->end() && std::string_view(entry->first).starts_with(prefix); ++entry) {
      if (!visit(entry->first, entry->second)) {
        break;
      }
    }
    return absl::OkStatus();
  }

 private:
  Tables tables_;
};

class MemoryStore : public Store {
 public:
  explicit MemoryStore(const std::vector<std::string>& families) {
    for (const std::string& family : families) {
      tables_.emplace(family, std::make_shared<Table>());
    }
  }

  absl::StatusOr<std::optional<std::string>> Get(std::string_view family, std::string_view key) const override {
    return View().Get(family, key);
  }

  absl::Status Scan(std::string_view family, std::string_view prefix, std::string_view start,
                    const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    return View().Scan(family, prefix, start, visit);
  }

  absl::Status Write(const WriteBatch& batch, bool /*sync*/) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const WriteBatch::Change& change : batch.changes()) {
      if (!tables_.contains(change.family)) {
        return UnknownFamily(change.family);
      }
      SLUIS_RETURN_IF_ERROR(CheckChange(change));
    }
    for (const WriteBatch::Change& change : batch.changes()) {
      std::shared_ptr<Table>& table = tables_.find(change.family)->second;
      if (table.use_count() > 1) {
        table = std::make_shared<Table>(*table);
      }
      switch (change.kind) {
        case WriteBatch::Kind::kPut:
          (*table)[change.key] = change.value;
          break;
        case WriteBatch::Kind::kDelete:
          table->erase(change.key);
          break;
        case WriteBatch::Kind::kDeletePrefix:
          table->erase(table->lower_bound(change.key), table->lower_bound(PrefixEnd(change.key)));
          break;
      }
    }
    return absl::OkStatus();
  }

  std::unique_ptr<StoreView> Snapshot() const override { return std::make_unique<MemoryView>(View()); }

 private:
  MemoryView View() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return MemoryView(tables_);
  }

  mutable std::mutex mutex_;
  Tables tables_;
};

}  // namespace

std::unique_ptr<Store> MakeMemoryStore(const std::vector<std::string>& families) {
  return std::make_unique<MemoryStore>(families);
}

}  // namespace sluis::common
