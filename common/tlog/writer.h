#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/crypto.h"
#include "common/store/store.h"
#include "common/tlog/checkpoint.h"
#include "common/tlog/log_reader.h"

namespace sluis::common {

// The column families that a store with a log must have.
[[nodiscard]] std::vector<std::string> LogFamilies();

struct AppendResult {
  std::uint64_t first_index = 0;  // of the first entry appended
  std::string checkpoint;         // signed note over the log that includes them
  // Not OK if the static files could not be written. The entries stand all the same; the next Append or Open writes
  // the files.
  absl::Status export_status;
};

// Appends to one transparency log (c2sp.org/tlog-tiles) that lives in a store, together with the business state that
// its entries speak about.
//
// Invariants, over crashes at any point:
//   - entries and the business changes of one Append are durable together or not at all;
//   - nothing is signed before it is durable, and no two roots are ever signed for one size;
//   - an exported checkpoint never speaks of files that are not exported.
// Thread-safe; appends run one after another, so callers with many entries pass them together.
class LogWriter {
 public:
  // `store`: outlives the writer, has the families of LogFamilies(), and no other writer for them. `origin`: the log's
  // name, also that of its key. `export_directory`: where the static files go, or empty for none.
  //
  // Checks the right edge of the tree against the entries, the head, the last signed and the exported checkpoint, then
  // exports what a crash left out. Cost: reads at most 256 entries and a tile per level.
  // Errors:
  //   DATA_LOSS            the log in the store is damaged, or older than a checkpoint that was signed (a restored
  //                        backup): stop, and restore the newest state
  //   FAILED_PRECONDITION  the store or the export directory belongs to a log with another name or key
  //   INVALID_ARGUMENT     `origin` is not a key name; a family is missing
  //   as Store::Write and WriteFileAtomically
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<LogWriter>> Open(Store& store, std::string origin, SigningKey key,
                                                                       std::string export_directory);

  // Appends `entries`, in order, and applies `business_changes` in the same synced batch; then signs, then exports.
  // Errors (nothing is appended unless said otherwise):
  //   INVALID_ARGUMENT  no entry; an entry above 65,535 bytes; `business_changes` touch the log's own families
  //   as Store::Write; after UNAVAILABLE the entries may or may not be there, and the next call finds out
  // Does not recognise an entry that is appended twice.
  [[nodiscard]] absl::StatusOr<AppendResult> Append(std::span<const std::string> entries,
                                                    const WriteBatch& business_changes);

  // Returns the newest signed checkpoint.
  [[nodiscard]] std::string Checkpoint() const;
  // Returns the number of entries that checkpoint covers.
  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] const VerifierKey& verifier_key() const { return verifier_key_; }

  // Returns the entry. Errors: INVALID_ARGUMENT if `index` >= size(); DATA_LOSS.
  [[nodiscard]] absl::StatusOr<std::string> Entry(std::uint64_t index) const;
  // Returns the text of a .tlog-proof for the entry against the newest checkpoint. Errors: as Entry.
  [[nodiscard]] absl::StatusOr<std::string> ProveInclusion(std::uint64_t index) const;
  // Returns the hashes that prove the newest checkpoint to extend the log of `old_size` entries. Errors:
  // INVALID_ARGUMENT if old_size is 0 or above size(); DATA_LOSS.
  [[nodiscard]] absl::StatusOr<std::vector<Hash256>> ProveConsistency(std::uint64_t old_size) const;
  // Returns the bytes of a static resource: "checkpoint", "tile/0/000", "tile/entries/000.p/5". Any width that a tile
  // ever had is served. Errors: INVALID_ARGUMENT on any other form of path; NOT_FOUND if the log is too short.
  [[nodiscard]] absl::StatusOr<std::string> ReadResource(std::string_view path) const;

 private:
  struct State {
    std::uint64_t size = 0;
    // The hashes of the rightmost, not yet full tile of each level.
    std::array<std::vector<Hash256>, kTileLevels> edge;
    [[nodiscard]] Hash256 Root() const;
  };

  LogWriter(Store& store, SigningKey key, VerifierKey verifier_key, std::string export_directory);

  absl::Status CheckIdentity();
  absl::StatusOr<State> LoadState() const;
  absl::Status CheckAgainstSigned(const State& state, std::string_view note, std::string_view where,
                                  std::uint64_t& signed_size) const;
  absl::Status Recover();
  absl::Status SignState();
  absl::Status Export();
  static void AddEntry(State& state, std::string_view entry, WriteBatch& batch);

  Store& store_;
  const SigningKey key_;
  const VerifierKey verifier_key_;
  const std::string export_directory_;

  std::mutex append_mutex_;  // held over a whole Append; guards what follows
  State state_;
  bool uncertain_ = false;    // a failed write may have reached the store
  bool clean_export_ = true;  // the next export removes unfinished files
  std::uint64_t exported_size_ = 0;
  bool checkpoint_exported_ = false;

  mutable std::mutex signed_mutex_;  // guards the two below
  std::string signed_note_;
  common::Checkpoint signed_checkpoint_;
};

}  // namespace sluis::common
