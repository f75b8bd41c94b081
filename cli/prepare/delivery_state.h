#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/prepare/pseudonym_cache.h"
#include "cli/prepare/spool.h"
#include "common/bytes/secret.h"

namespace sluis::cli {

enum class DeliveryStage {
  kStarted,    // the delivery id is taken for this file
  kPrepared,   // the spool is complete; uploading may have begun
  kCommitted,  // the linker confirmed it; the spool is gone
};

// What the custodian's disk remembers of a delivery.
struct DeliveryState {
  DeliveryStage stage = DeliveryStage::kStarted;
  common::Hash256 input_sha256{};  // of the extract's file
  // kStarted: the fields up to and including `replaces`, and schema_sha256.
  SpoolHeader header;
  std::uint64_t evaluated = 0;         // identifiers that were sent to the key holder
  std::uint64_t tokens_evaluated = 0;  // likewise tokens of similarity encodings
  std::string receipt;                 // kCommitted: as the linker gave it

  friend bool operator==(const DeliveryState&, const DeliveryState&) = default;
};

// The deliveries in one directory (mode 0700): for each REGISTER.DELIVERY.state, sealed under the custodian's local
// key, and, from kPrepared to kCommitted, REGISTER.DELIVERY.spool. File names show register and delivery id, nothing
// else is readable. One process at a time.
class DeliveryStates {
 public:
  // Opens or creates `directory`. Errors: as EnsurePrivateDirectory.
  [[nodiscard]] static absl::StatusOr<DeliveryStates> Open(const std::string& directory,
                                                           const common::SecretBytes& local_key);

  // Stores `state`, durably, over an older one of its delivery; kCommitted also removes the spool.
  // Errors: INVALID_ARGUMENT if the register's or the delivery's id has other characters than permit and protocol
  // allow; as WriteFileAtomically.
  [[nodiscard]] absl::Status Save(const DeliveryState& state);
  // Returns the state, or nullopt. Errors: INVALID_ARGUMENT as Save; DATA_LOSS if the file was changed, renamed, or
  // sealed under another local key.
  [[nodiscard]] absl::StatusOr<std::optional<DeliveryState>> Load(std::string_view register_name,
                                                                  std::string_view delivery_id) const;
  // Returns the states of all deliveries, ordered by file name. Errors: as Load.
  [[nodiscard]] absl::StatusOr<std::vector<DeliveryState>> List() const;
  // Returns the delivery that the linker confirmed of the file with digest `input_sha256` for this register and permit
  // document, so that the same file is not delivered twice. A delivery that was refused or given up does not count.
  [[nodiscard]] absl::StatusOr<std::optional<DeliveryState>> FindByInput(const common::Hash256& permit_sha256,
                                                                         std::string_view register_name,
                                                                         const common::Hash256& input_sha256) const;

  // Forgets a delivery, which was withdrawn or aborted: its file may be delivered again, under a new id. Nothing
  // happens if there is none. Errors: INVALID_ARGUMENT as Save; as FileError.
  [[nodiscard]] absl::Status Remove(std::string_view register_name, std::string_view delivery_id);

  // Forgets the deliveries that a committed one of the same permit replaces, and removes every spool but those of
  // kPrepared deliveries. Saving a delivery as kCommitted thus forgets what it replaces, at once and for good: whoever
  // reads the states tidies first, so that a crash in between leaves no trace. Errors: as List and FileError.
  [[nodiscard]] absl::Status Tidy();

  [[nodiscard]] std::string SpoolPath(std::string_view register_name, std::string_view delivery_id) const;
  const common::SecretBytes& spool_key() const { return spool_key_; }

 private:
  DeliveryStates(std::string directory, const common::SecretBytes& local_key);
  std::string StatePath(std::string_view register_name, std::string_view delivery_id) const;
  absl::StatusOr<DeliveryState> Read(const std::string& path) const;
  // The paths of the files with this suffix, ordered.
  absl::StatusOr<std::vector<std::string>> Files(std::string_view suffix) const;

  std::string directory_;
  common::SecretBytes state_key_;
  common::SecretBytes spool_key_;
};

}  // namespace sluis::cli
