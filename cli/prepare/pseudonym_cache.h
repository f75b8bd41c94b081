#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/secret.h"
#include "common/crypto/crypto.h"
#include "common/permit/permit.h"
#include "common/store/store.h"

namespace sluis::cli {

// A delivery of a register under a permit, as the state on the custodian's disk names it.
struct DeliveryName {
  std::string permit_id;
  std::string register_name;
  std::string delivery_id;
};

// The pseudonyms that the key holder has evaluated for this custodian, sealed, so that each identifier is evaluated
// (and debited) once for all deliveries. Bound to permit id, purpose and the key holder's public key: under another key
// nothing is found. Layout of the store: README.md.
//
// Thread-safe.
class PseudonymCache {
 public:
  // The column families that the store must have.
  [[nodiscard]] static std::vector<std::string> Families();
  static constexpr std::size_t kLookupBytes = 24;

  // `local_key`: the custodian's own 32-byte key. `store` must outlive the cache.
  PseudonymCache(common::Store& store, const common::SecretBytes& local_key, const common::Permit& permit);

  // Returns the name of `input` in the cache: 8 bytes for permit, purpose and public key, then 16 bytes of a keyed hash
  // of the input. Precondition: the permit has a public key for `purpose`.
  [[nodiscard]] std::string LookupOf(std::string_view purpose, std::string_view input) const;

  // Returns the pseudonym (32 bytes), or nullopt. Errors: DATA_LOSS if it was changed or sealed under another local
  // key; as StoreView::Get.
  [[nodiscard]] absl::StatusOr<std::optional<std::string>> Find(std::string_view lookup) const;

  // Returns the number under which the chunk of these blinded elements is sent, durably: asked again for the same
  // elements, also after a crash, it is the same number, so that the key holder answers again without a debit; other
  // elements get a number that was never used. Errors: as Store::Write.
  [[nodiscard]] absl::StatusOr<std::uint32_t> NumberOfChunk(const DeliveryName& delivery, std::string_view purpose,
                                                            std::string_view blinded);
  // Stores the pseudonyms (32 bytes each, in the order of `lookups`) of an answered chunk, durably.
  [[nodiscard]] absl::Status StoreChunk(const DeliveryName& delivery, std::string_view purpose,
                                        std::string_view blinded, const std::vector<std::string>& lookups,
                                        std::string_view pseudonyms);

  // Returns the random seed from which the blinds of this delivery are made, drawn once and kept until ForgetBlinds, so
  // that a run after a crash blinds alike. Errors: DATA_LOSS; as Store::Write.
  [[nodiscard]] absl::StatusOr<common::SecretBytes> BlindSeed(const DeliveryName& delivery);
  [[nodiscard]] absl::Status ForgetBlinds(const DeliveryName& delivery);

 private:
  common::Store& store_;
  common::HmacSha256 lookup_mac_;
  common::SecretBytes seal_key_;
  std::map<std::string, std::string, std::less<>> spaces_;  // purpose -> hash of permit id, purpose and public key
};

}  // namespace sluis::cli
