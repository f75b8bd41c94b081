#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/entry/entry.h"
#include "common/rpc/telemetry.h"
#include "common/store/store.h"
#include "common/tlog/writer.h"

namespace sluis::common {

// An entry in the log, with the proof that it is there.
struct LoggedEntry {
  std::string entry;
  std::string proof;  // c2sp.org/tlog-proof@v1
};

// The transparency log of a service together with an index of its entries, so that an entry that was logged before can
// be proved again. Thread-safe.
class ServiceLog {
 public:
  // Reads all entries once. `metrics` outlives the log. Errors: as LogWriter::Open.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ServiceLog>> Open(std::unique_ptr<LogWriter> writer,
                                                                        Metrics& metrics);

  // Appends `entry` and applies `changes` in one synced batch, and returns the entry with its proof. When this returns
  // OK the entry stands in a signed checkpoint. Errors: as LogWriter::Append.
  [[nodiscard]] absl::StatusOr<LoggedEntry> Append(const std::string& entry, const WriteBatch& changes);

  // Returns the proof of an entry with exactly these bytes, also if Append has written but not yet returned. Errors:
  // NOT_FOUND.
  [[nodiscard]] absl::StatusOr<LoggedEntry> Prove(const std::string& entry) const;

  // Returns the newest entry of `type` whose fields include all of `fields`, or nullopt.
  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Find(const std::string& type,
                                                                const EntryFields& fields) const;

  const LogWriter& writer() const { return *writer_; }

 private:
  ServiceLog(std::unique_ptr<LogWriter> writer, Metrics& metrics) : writer_(std::move(writer)), metrics_(metrics) {}

  std::optional<std::uint64_t> IndexOf(const std::string& entry) const;

  const std::unique_ptr<LogWriter> writer_;
  Metrics& metrics_;
  // Held shared from before an entry is in the log until it is in the index. The caller's changes can be seen in
  // between: whoever misses an entry waits for those under way before saying that there is none.
  mutable std::shared_mutex appending_;
  mutable std::mutex mutex_;
  std::map<Hash256, std::uint64_t> index_;  // SHA-256 of an entry -> its number
};

}  // namespace sluis::common
