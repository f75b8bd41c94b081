#include "cli/submit/workspace.h"

#include "absl/strings/str_cat.h"
#include "common/file/atomic_file.h"
#include "common/rpc/runtime.h"
#include "common/status/status.h"

namespace sluis::cli {
namespace {

constexpr std::uint32_t kFormatVersion = 1;
constexpr std::size_t kSaltBytes = 16;

// The salt under which the local key is derived; made on first use.
absl::StatusOr<std::string> Salt(const std::string& directory) {
  const std::string path = directory + "/salt";
  absl::StatusOr<std::string> salt = common::ReadFileBounded(path, kSaltBytes);
  if (salt.ok() || !absl::IsNotFound(salt.status())) return salt;
  std::string fresh = common::RandomString(kSaltBytes);
  SLUIS_RETURN_IF_ERROR(common::WriteFileAtomically(path, fresh, 0600));
  return fresh;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Workspace>> Workspace::Open(const Client& client) {
  const std::string& directory = client.config.state_directory();
  if (directory.empty()) return absl::InvalidArgumentError("configuration field state_directory: a folder is expected");
  SLUIS_RETURN_IF_ERROR(common::EnsurePrivateDirectory(directory));
  auto workspace = std::make_unique<Workspace>();
  SLUIS_ASSIGN_OR_RETURN(const common::UnlockSource unlock, common::ToUnlockSource(client.config.unlock()));
  common::RocksDbOptions options;
  options.families = PseudonymCache::Families();
  options.format_version = kFormatVersion;
  auto store = common::OpenRocksDb(directory + "/cache", options);
  if (common::ReasonOf(store.status()) == "STORE_IN_USE") {
    return common::WithReason(
        absl::UnavailableError(absl::StrCat("another command works with the state_directory ", directory,
                                            "; wait until it has ended, then give this one again")),
        "STATE_IN_USE");
  }
  SLUIS_RETURN_IF_ERROR(store.status());
  workspace->store = *std::move(store);
  // Only who holds the store's lock makes the salt: of two first commands at once one would else seal under a key that
  // the other's salt replaces.
  SLUIS_ASSIGN_OR_RETURN(const std::string salt, Salt(directory));
  SLUIS_ASSIGN_OR_RETURN(workspace->local_key, unlock.RootKey(salt, common::PassphraseCost{}));
  workspace->cache = std::make_unique<PseudonymCache>(*workspace->store, workspace->local_key, client.permit.permit);
  SLUIS_ASSIGN_OR_RETURN(workspace->states, DeliveryStates::Open(directory + "/deliveries", workspace->local_key));
  SLUIS_RETURN_IF_ERROR(workspace->states->Tidy());
  SLUIS_ASSIGN_OR_RETURN(workspace->spill, common::SpillDirectory::Open(directory + "/spill"));
  return workspace;
}

}  // namespace sluis::cli
