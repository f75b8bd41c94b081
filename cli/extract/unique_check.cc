#include "cli/extract/unique_check.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <queue>
#include <type_traits>
#include <utility>

#include "common/status/status.h"

namespace sluis::cli {

UniqueCheck::UniqueCheck(const common::SpillDirectory* spill, const common::SecretBytes& key, std::size_t memory_rows)
    : spill_(spill), hasher_(key), memory_rows_(memory_rows) {}

absl::Status UniqueCheck::Add(std::string_view unique_key, std::uint64_t row, std::uint64_t line) {
  if (entries_.size() >= memory_rows_) SLUIS_RETURN_IF_ERROR(SpillRun());
  const common::Hash256 hash = hasher_.Compute(unique_key);
  Entry entry{{}, row, line};
  std::copy_n(hash.begin(), entry.hash.size(), entry.hash.begin());
  entries_.push_back(entry);
  return absl::OkStatus();
}

absl::Status UniqueCheck::SpillRun() {
  if (spill_ == nullptr) {
    return common::WithReason(
        absl::ResourceExhaustedError("checking uniqueness of more than " + std::to_string(memory_rows_) +
                                     " rows needs a directory for temporary files"),
        "UNIQUE_TOO_MANY_ROWS");
  }
  static_assert(std::is_trivially_copyable_v<Entry> && sizeof(Entry) == 32);
  std::sort(entries_.begin(), entries_.end());
  SLUIS_ASSIGN_OR_RETURN(common::SpillFile run, spill_->NewFile());
  for (const Entry& entry : entries_) {
    SLUIS_RETURN_IF_ERROR(run.Append({reinterpret_cast<const char*>(&entry), sizeof(entry)}));
  }
  SLUIS_RETURN_IF_ERROR(run.Finish());
  runs_.push_back(std::move(run));
  entries_.clear();
  return absl::OkStatus();
}

absl::Status UniqueCheck::Finish(const std::function<void(std::uint64_t row, std::uint64_t line)>& repeated) {
  // Equal hashes come together, the earliest row first.
  std::array<std::uint8_t, 16> last{};
  bool any = false;
  const auto visit = [&](const Entry& entry) {
    if (any && entry.hash == last) repeated(entry.row, entry.line);
    last = entry.hash;
    any = true;
  };
  if (runs_.empty()) {
    std::sort(entries_.begin(), entries_.end());
    for (const Entry& entry : entries_) visit(entry);
    return absl::OkStatus();
  }
  if (!entries_.empty()) SLUIS_RETURN_IF_ERROR(SpillRun());
  entries_.shrink_to_fit();
  using Head = std::pair<Entry, std::size_t>;
  std::priority_queue<Head, std::vector<Head>, std::greater<>> heads;
  std::vector<std::unique_ptr<common::RecordReader>> readers;
  const auto advance = [&](std::size_t run) -> absl::Status {
    std::string_view record;
    SLUIS_ASSIGN_OR_RETURN(const bool found, readers[run]->Next(record));
    if (!found) return absl::OkStatus();
    Entry entry;
    if (record.size() != sizeof(entry)) return absl::InternalError("a spilled entry has the wrong length");
    std::memcpy(&entry, record.data(), sizeof(entry));
    heads.emplace(entry, run);
    return absl::OkStatus();
  };
  for (std::size_t run = 0; run < runs_.size(); ++run) {
    SLUIS_ASSIGN_OR_RETURN(auto reader, runs_[run].Read());
    readers.push_back(std::move(reader));
    SLUIS_RETURN_IF_ERROR(advance(run));
  }
  while (!heads.empty()) {
    const auto [entry, run] = heads.top();
    heads.pop();
    visit(entry);
    SLUIS_RETURN_IF_ERROR(advance(run));
  }
  return absl::OkStatus();
}

}  // namespace sluis::cli
