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
// purpose, and each of its deliveries one of its own within that; the debit is on disk before the answer leaves.

namespace sluis::keys {

// The column family of the ledger; keys/custody/README.md gives its layout.
inline constexpr char kQuotaFamily[] = "quota";

// Whose budget. All three are taken as they are, byte for byte.
struct QuotaAccount {
  std::string custodian;  // SPIFFE URI of the client certificate
  std::string project;
  std::string purpose;
};

// What may be debited, in elements. Both hold: a delivery cannot use up what the permit gives for all of them.
struct QuotaBudget {
  std::uint64_t account = 0;   // of the custodian, in the project, for the purpose, in all
  std::uint64_t delivery = 0;  // of that, for the delivery of the request
};

// How often a chunk that was debited is answered again. A client that loses an answer repeats a chunk once or twice;
// without a limit one debit would pay for any amount of computing.
inline constexpr std::uint32_t kMaxReplays = 32;

struct DebitRequest {
  QuotaAccount account;
  std::string delivery_id;         // chosen by the custodian, new for each delivery
  std::uint32_t chunk_number = 0;  // within the delivery
  std::uint32_t element_count = 0;
  common::Hash256 elements_sha256{};  // of the blinded elements as sent
};

enum class DebitDecision {
  kGranted,  // debited now
  kReplay,   // the same chunk was debited before: answer again, debit nothing, count the repetition
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

  // Debits `request` from its account and its delivery, within `budget`, and returns only when that is on stable
  // storage: whoever answers after it cannot be made to forget the debit by a crash. A chunk that was debited before
  // with the same elements is kReplay at any budget, so that a broken connection costs nothing; kMaxReplays times.
  //
  // Errors (nothing is debited):
  //   INVALID_ARGUMENT    an empty name, one over 512 bytes, no elements or over kMaxBatch; or the delivery already had
  //                       a chunk of this number with other elements (reason CHUNK_CHANGED)
  //   RESOURCE_EXHAUSTED  over one of the budgets (reason QUOTA_EXHAUSTED), the chunk was repeated kMaxReplays times
  //                       (reason REPLAY_LIMIT), or the disk is full
  //   DATA_LOSS           a record of the ledger cannot be read
  //   UNAVAILABLE         the store failed; the debit may or may not be there, and a retry settles it
  [[nodiscard]] absl::StatusOr<DebitDecision> Debit(const DebitRequest& request, const QuotaBudget& budget);

  // Returns what Debit would decide now, and debits and counts nothing. Errors: as Debit.
  [[nodiscard]] absl::StatusOr<DebitDecision> Check(const DebitRequest& request, const QuotaBudget& budget) const;

  // Returns what was debited from `account`; zeros if nothing was. Errors: INVALID_ARGUMENT on an empty name or one
  // over 512 bytes; DATA_LOSS as Debit.
  [[nodiscard]] absl::StatusOr<QuotaUsage> Usage(const QuotaAccount& account) const;
  // Returns what was debited from `account` for one delivery. Errors: as Usage, also for the delivery id.
  [[nodiscard]] absl::StatusOr<QuotaUsage> DeliveryUsage(const QuotaAccount& account,
                                                         const std::string& delivery_id) const;

  // Deletes all that is held of `project`, of all custodians, in one synced write. Only for a project whose keys are
  // gone: its budgets begin anew. Errors: DATA_LOSS as Debit; as Store::Write.
  [[nodiscard]] absl::Status Forget(std::string_view project);

 private:
  struct Decision {
    DebitDecision decision;
    QuotaUsage account;         // before the debit
    QuotaUsage delivery;        // before the debit
    std::uint32_t replays = 0;  // before this one
  };
  absl::StatusOr<Decision> Decide(const DebitRequest& request, const QuotaBudget& budget) const;

  common::Store& store_;
  mutable std::mutex mutex_;
};

}  // namespace sluis::keys
