#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
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
// be found and proved again without reading the log. Thread-safe.
//
// The index holds two numbers an entry, about 80 bytes in all: a million entries take 80 MB. Hashes in it are cut to 64
// bits; what is found is compared with the entry itself.
class ServiceLog {
 public:
  // Reads all entries once. `metrics` outlives the log. Errors: as LogWriter::Open; DATA_LOSS if an entry cannot be
  // read.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<ServiceLog>> Open(std::unique_ptr<LogWriter> writer,
                                                                        Metrics& metrics);

  // Appends `entry` and applies `changes` in one synced batch, and returns the entry with its proof. When this returns
  // OK the entry stands in a signed checkpoint. Errors: as LogWriter::Append.
  //
  // Others may see `changes` a moment before the entry is signed. Find and Prove wait for an Append under way before
  // they say that there is no such entry: so whoever has seen the changes gets the entry.
  [[nodiscard]] absl::StatusOr<LoggedEntry> Append(const std::string& entry, const WriteBatch& changes);

  // Returns the proof of an entry with exactly these bytes. Errors: NOT_FOUND.
  [[nodiscard]] absl::StatusOr<LoggedEntry> Prove(const std::string& entry) const;

  // Returns the newest entry of `type` whose fields include all of `fields`, or nullopt. Cost: one read for each entry
  // that agrees in the fields by which entries of its type are indexed, newest first. Precondition: `type` is one of
  // those of LookupFields, and `fields` has these.
  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Find(const std::string& type,
                                                                const EntryFields& fields) const;

  // The fields by which entries of a type are indexed; empty if they are not.
  [[nodiscard]] static std::vector<std::string> LookupFields(std::string_view type);

  const LogWriter& writer() const { return *writer_; }

 private:
  ServiceLog(std::unique_ptr<LogWriter> writer, Metrics& metrics) : writer_(std::move(writer)), metrics_(metrics) {}

  // Brings the index up to the signed size of the log. Precondition: appending_ is held.
  absl::Status CatchUp() const;
  // The numbers of the entries under `key`, newest first.
  std::vector<std::uint64_t> Under(std::uint64_t key) const;
  // Looks up what `look` finds, and again after the appends under way if it is nothing.
  template <typename Result>
  absl::StatusOr<std::optional<Result>> LookTwice(
      const std::function<absl::StatusOr<std::optional<Result>>()>& look) const;

  const std::unique_ptr<LogWriter> writer_;
  Metrics& metrics_;
  mutable std::mutex appending_;  // held over a whole Append, which the writer does one after another anyway
  mutable std::mutex index_mutex_;
  mutable std::uint64_t indexed_ = 0;                                    // entries in the index
  mutable std::unordered_multimap<std::uint64_t, std::uint64_t> index_;  // hash of bytes, or type and fields -> number
};

}  // namespace sluis::common
