#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/crypto/crypto.h"
#include "common/document/permit_set.h"
#include "common/keystore/keystore.h"
#include "common/rpc/config.h"
#include "common/rpc/service_log.h"
#include "common/rpc/telemetry.h"
#include "common/store/store.h"

// What the three services have in common: keystore, store, log, permits.

namespace sluis::common {

// Project under which a service keeps its own keys in the keystore, and their purposes.
inline constexpr char kServiceProject[] = "service";
inline constexpr char kLogKeyPurpose[] = "log";          // Ed25519: signs the log's checkpoints
inline constexpr char kSealingKeyPurpose[] = "sealing";  // X25519: what is sealed to the service
inline constexpr char kStoragePurpose[] = "storage";     // AEAD: what a project keeps at rest

struct PublicKeys {
  std::string log_key;      // verifier key, for the permit
  std::string sealing_key;  // base 64; empty without `with_sealing_key`
};

// Creates the keystore of a new service with its log key, and a sealing key if asked. Errors: ALREADY_EXISTS; as
// Keystore::Create.
[[nodiscard]] absl::StatusOr<PublicKeys> InitialiseService(const v1::Service& config, bool with_sealing_key);

// What opens a keystore or a state directory. Errors: INVALID_ARGUMENT unless exactly one way is given;
// PERMISSION_DENIED if others may read the passphrase file.
[[nodiscard]] absl::StatusOr<UnlockSource> ToUnlockSource(const v1::Unlock& unlock);

// Everything a service holds open. Members are destroyed in reverse order.
struct Runtime {
  v1::Service config;
  std::unique_ptr<Keystore> keystore;
  std::unique_ptr<Store> store;
  std::unique_ptr<Metrics> metrics;
  std::unique_ptr<ServiceLog> log;
  PermitSet permits;

  // Opens all of it and logs the permits that are new. `families`: those of the service itself. With `with_permits`
  // false no permit is loaded. `migrate`: as RocksDbOptions::migrate. Errors: those of the parts, with the part named.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Runtime>> Open(const v1::Service& config,
                                                                     std::vector<std::string> families,
                                                                     std::uint32_t format_version, bool with_permits,
                                                                     StoreMigration migrate = {});

  // Returns the key that seals what `project` keeps at rest; makes it on first use.
  [[nodiscard]] absl::StatusOr<SecretBytes> StorageKey(const std::string& project) const;
};

[[nodiscard]] absl::StatusOr<std::unique_ptr<Keystore>> OpenServiceKeystore(const v1::Service& config);

}  // namespace sluis::common
