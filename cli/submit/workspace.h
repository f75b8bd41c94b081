#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "cli/app/client.h"
#include "cli/prepare/delivery_state.h"
#include "cli/prepare/pseudonym_cache.h"
#include "common/spill/spill_directory.h"
#include "common/store/store.h"

namespace sluis::cli {

// The custodian's state directory (mode 0700): the sealed cache of pseudonyms, deliveries in progress, temporary files.
// One process at a time.
struct Workspace {
  common::SecretBytes local_key;
  std::unique_ptr<common::Store> store;
  std::unique_ptr<PseudonymCache> cache;
  std::optional<DeliveryStates> states;
  std::optional<common::SpillDirectory> spill;

  // Opens it and removes what deliveries that ended left behind (DeliveryStates::Tidy).
  // Errors: INVALID_ARGUMENT if the configuration names no state_directory or unlock; FAILED_PRECONDITION if another
  // process uses it or others may enter it; PERMISSION_DENIED or DATA_LOSS if it was made under another key.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Workspace>> Open(const Client& client);
};

}  // namespace sluis::cli
