#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/bytes/secret.h"
#include "common/store/store.h"
#include "disclosure/ledger/ledger_entry.h"

namespace sluis::disclosure {

// Everything that this gate ever released, under any permit, in the order of its release: the one memory of the gate
// that outlives a project. README.md has the layout. Nothing in it is changed or removed, but for values that a
// project's end of retention takes away. Thread-safe as far as the store is.
class LedgerStore {
 public:
  [[nodiscard]] static std::vector<std::string> Families();

  // The storage key of a project; nothing if it is destroyed.
  using ProjectKey = std::function<absl::StatusOr<std::optional<common::SecretBytes>>(const std::string& project)>;

  // `store` outlives this. `gate_key`: 32 bytes from the keystore; seals what is public anyway, so that nobody but the
  // gate changes it.
  LedgerStore(common::Store& store, common::SecretBytes gate_key, ProjectKey project_key);

  // Returns the number of entries. Errors: as the store.
  [[nodiscard]] absl::StatusOr<std::uint64_t> Size() const;
  // Returns the first `size` entries in their order; of projects whose keys are destroyed what is public (Forget).
  // Errors: DATA_LOSS if one is missing or does not open. Cost: reads all of it.
  [[nodiscard]] absl::StatusOr<std::vector<LedgerEntry>> Load(std::uint64_t size) const;

  // Returns the changes that append `entry` as number `size`. Precondition: that is Size() when they are written.
  // `project_key`: of entry.project.
  [[nodiscard]] common::WriteBatch Append(std::uint64_t size, const LedgerEntry& entry,
                                          const common::SecretBytes& project_key) const;

  // Returns the changes that take away all values of `project` that are not published.
  [[nodiscard]] static common::WriteBatch EraseValues(const std::string& project);

  // Returns OK if each release in the store has its entry here and each entry its release, as long as the project's
  // releases are kept. Releases that were made before there was a ledger have a mark instead (ReleaseStore).
  // Errors: DATA_LOSS naming a release.
  [[nodiscard]] absl::Status CheckComplete() const;

 private:
  common::Store& store_;
  const common::SecretBytes gate_key_;
  const ProjectKey project_key_;
};

}  // namespace sluis::disclosure
