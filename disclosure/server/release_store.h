#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/bytes/secret.h"
#include "common/permit/permit.h"
#include "common/store/store.h"

namespace sluis::disclosure {

// What the gate keeps of a release.
struct ReleaseRecord {
  std::string request_sha256;      // hexadecimal, of the request document
  std::string entry;               // of the log
  std::string summary_json;        // for the requester
  std::vector<std::string> files;  // names, in the order in which they are streamed
};

// The releases of one project at the gate, sealed at rest, and which registers were released before there was a ledger.
// README.md has the layout. Thread-safe as far as the store is.
class ReleaseStore {
 public:
  [[nodiscard]] static std::vector<std::string> Families();
  static constexpr std::uint32_t kFormatVersion = 2;  // 1 had no ledger
  static constexpr char kEvidenceFile[] = "evidence.sealed";

  // `store` and `permit` outlive this. `storage_key`: 32 bytes from the keystore.
  ReleaseStore(common::Store& store, const common::Permit& permit, common::SecretBytes storage_key);

  // The project's secret for methods that need draws (disclosure/cell_key). Derived from the storage key: it never
  // changes, and is gone when that is destroyed.
  [[nodiscard]] const common::SecretBytes& draw_secret() const { return draw_secret_; }

  // Errors: DATA_LOSS.
  [[nodiscard]] absl::StatusOr<std::optional<ReleaseRecord>> Find(const std::string& release_id) const;
  // Returns the bytes of a file of a release. Errors: NOT_FOUND; DATA_LOSS.
  [[nodiscard]] absl::StatusOr<std::string> File(const std::string& release_id, const std::string& name) const;

  // Returns the changes that keep a release: its record, and its files (those of `record.files` and the evidence).
  [[nodiscard]] common::WriteBatch Put(const std::string& release_id, const ReleaseRecord& record,
                                       const std::map<std::string, std::string>& files) const;
  [[nodiscard]] const common::SecretBytes& storage_key() const { return key_; }

  // The names PROJECT/RELEASE of all releases in `store`, and of those that have a mark because they were made before
  // there was a ledger.
  [[nodiscard]] static absl::StatusOr<std::set<std::string>> Names(const common::StoreView& store);
  [[nodiscard]] static absl::StatusOr<std::set<std::string>> Marked(const common::StoreView& store);

  // The number of releases of `project` in `store`.
  [[nodiscard]] static absl::StatusOr<std::uint64_t> Count(const common::StoreView& store, const std::string& project);
  // Returns the changes that delete every release of `project`, with its files and evidence. That it was released stays
  // in the ledger: what is published cannot be taken back.
  [[nodiscard]] static common::WriteBatch EraseAll(const std::string& project);

  // Returns OK if none of `registers` (positions in the permit) has a mark: of a release that the ledger does not have
  // nobody can tell what it gives away together with another. Errors: FAILED_PRECONDITION (RELEASED_BEFORE) naming the
  // register and the release.
  [[nodiscard]] absl::Status CheckNotReleased(const std::set<int>& registers) const;

 private:
  std::string Context(const std::string& release_id, const std::string& name) const;
  std::string RegisterKey(int index) const;

  common::Store& store_;
  const common::Permit& permit_;
  const common::SecretBytes key_;
  const common::SecretBytes draw_secret_;
};

}  // namespace sluis::disclosure
