#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/bytes/secret.h"
#include "common/store/store.h"

// How many elements each custodian had evaluated under each key, durably.
//
// Blinded elements hide what is asked, and so also a custodian who feeds every possible national number to the key
// server to build a dictionary. What remains is to count: the permit gives each custodian a budget a project and
// purpose, and the debit is on disk before the answer leaves.

namespace sluis::keys {

// The column family of the ledger; keys/custody/README.md gives its layout.
inline constexpr char kQuotaFamily[] = "quota";

// Whose budget. All three are taken as they are, byte for byte.
struct QuotaAccount {
  std::string custodian;  // SPIFFE URI of the client certificate
  std::string project;
  std::string purpose;
};

struct DebitRequest {
  QuotaAccount account;
  std::string delivery_id;         // chosen by the custodian, new for each delivery
  std::uint32_t chunk_number = 0;  // within the delivery
  std::uint32_t element_count = 0;
  common::Hash256 elements_sha256{};  // of the blinded elements as sent
};

enum class DebitDecision {
  kGranted,  // debited now
  kReplay,   // the same chunk was debited before: answer again, debit nothing
};

struct QuotaUsage {
  std::uint64_t elements = 0;  // debited in all
  std::uint64_t chunks = 0;
};

// Thread-safe: debits are one at a time, each one synced write. The store must be no other ledger's.
class QuotaLedger {
 public:
  // `store` has the family kQuotaFamily and outlives the ledger.
  explicit QuotaLedger(common::Store& store) : store_(store) {}

  // Debits `request` from its account, of which `budget` elements may be used in all, and returns only when that is on
  // stable storage: whoever answers after it cannot be made to forget the debit by a crash. A chunk that was debited
  // before with the same elements is kReplay at any budget, so that a broken connection costs nothing.
  //
  // Errors (nothing is debited):
  //   INVALID_ARGUMENT    an empty name, one over 512 bytes, no elements or over kMaxBatch; or the delivery already had
  //                       a chunk of this number with other elements (reason CHUNK_CHANGED)
  //   RESOURCE_EXHAUSTED  over the budget (reason QUOTA_EXHAUSTED), or the disk is full
  //   DATA_LOSS           a record of the ledger cannot be read
  //   UNAVAILABLE         the store failed; the debit may or may not be there, and a retry settles it
  [[nodiscard]] absl::StatusOr<DebitDecision> Debit(const DebitRequest& request, std::uint64_t budget);

  // Returns what Debit would decide now, and debits nothing. Errors: as Debit.
  [[nodiscard]] absl::StatusOr<DebitDecision> Check(const DebitRequest& request, std::uint64_t budget) const;

  // Returns what was debited from `account`; zeros if nothing was. Errors: INVALID_ARGUMENT on an empty name or one
  // over 512 bytes; DATA_LOSS as Debit.
  [[nodiscard]] absl::StatusOr<QuotaUsage> Usage(const QuotaAccount& account) const;

 private:
  struct Decision {
    DebitDecision decision;
    QuotaUsage usage;  // before the debit
  };
  absl::StatusOr<Decision> Decide(const DebitRequest& request, std::uint64_t budget) const;

  common::Store& store_;
  mutable std::mutex mutex_;
};

}  // namespace sluis::keys
