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
// A shared table is never changed: a writer clones it first. So a view is a copy of the pointers. Whether a table is
// shared is asked, and pointers are copied and dropped, under the store's mutex only: use_count() alone would not order
// a view's last read before the writer's change.
using Tables = std::map<std::string, std::shared_ptr<Table>, std::less<>>;

class MemoryView : public StoreView {
 public:
  // Precondition: the caller holds `mutex`.
  MemoryView(const Tables& tables, std::shared_ptr<std::mutex> mutex) : mutex_(std::move(mutex)), tables_(tables) {}
  ~MemoryView() override {
    const std::lock_guard lock(*mutex_);
    tables_.clear();
  }
  MemoryView(const MemoryView&) = delete;
  MemoryView& operator=(const MemoryView&) = delete;

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
  const std::shared_ptr<std::mutex> mutex_;  // the store's
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
    const std::lock_guard lock(*mutex_);
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

  std::unique_ptr<StoreView> Snapshot() const override {
    const std::lock_guard lock(*mutex_);
    return std::make_unique<MemoryView>(tables_, mutex_);
  }

 private:
  MemoryView View() const {
    const std::lock_guard lock(*mutex_);
    return {tables_, mutex_};
  }

  const std::shared_ptr<std::mutex> mutex_ = std::make_shared<std::mutex>();
  Tables tables_;
};

}  // namespace

std::unique_ptr<Store> MakeMemoryStore(const std::vector<std::string>& families) {
  return std::make_unique<MemoryStore>(families);
}

}  // namespace sluis::common
