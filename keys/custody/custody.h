#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "keys/custody/quota.h"
#include "keys/oprf/server.h"

// The key holder's work: the loaded OPRF keys, one a project and purpose, and the evaluation of one chunk of a delivery
// within the custodian's budget.

namespace sluis::keys {

// What a key is used for. Each purpose has a random key of its own, so that a pseudonym of one kind says nothing about
// the other, and what is evaluated for one purpose serves no other.
inline constexpr char kPurposeIdentifiers[] = "identifiers";
inline constexpr char kPurposeMatchKeys[] = "match-keys";
// Tokens of similarity encodings. Not rotated: encodings under two keys cannot be compared.
inline constexpr char kPurposeTokens[] = "tokens";
inline constexpr std::array<const char*, 3> kPurposes = {kPurposeIdentifiers, kPurposeMatchKeys, kPurposeTokens};

// Errors: INVALID_ARGUMENT unless `project` is [a-z][a-z0-9-]{0,62} and `purpose` one of the above.
[[nodiscard]] absl::Status CheckProjectAndPurpose(std::string_view project, std::string_view purpose);

struct ChunkRequest {
  QuotaAccount account;  // custodian: the identity that the connection proved, never one from the message
  std::string delivery_id;
  std::uint32_t chunk_number = 0;
  std::string_view blinded;  // kElementSize bytes an element, as BlindedBatch::elements
};

struct ChunkAnswer {
  std::string evaluated;  // kElementSize bytes an element, in the order of the request
  std::string proof;      // kProofSize bytes
  DebitDecision decision = DebitDecision::kGranted;
};

// Thread-safe; evaluations run side by side.
class KeyCustody {
 public:
  // `quota` outlives the custody.
  explicit KeyCustody(QuotaLedger& quota) : quota_(quota) {}

  // Loads a key. Errors: INVALID_ARGUMENT as CheckProjectAndPurpose; FAILED_PRECONDITION if the project has a key of
  // that purpose already: two keys would give one person two pseudonyms; or if its keys were destroyed.
  [[nodiscard]] absl::Status AddKey(std::string_view project, std::string_view purpose, KeyPair key);

  // Returns the public key, for the permit and the log. Errors: INVALID_ARGUMENT as CheckProjectAndPurpose;
  // FAILED_PRECONDITION if no such key is loaded (reason KEY_ABSENT), or it was destroyed (reason KEY_DESTROYED).
  [[nodiscard]] absl::StatusOr<Element> PublicKey(std::string_view project, std::string_view purpose) const;

  // Forgets the keys of a project, for ever: there is no call that brings them back, and AddKey refuses the project
  // from now on. A chunk that is being evaluated still ends. Nothing happens if the project has no key.
  void Destroy(std::string_view project);

  // Returns the evaluated elements of the chunk and their proof; the debit from the account is on stable storage by
  // then. `budget`: elements that the permit gives the account and the delivery. A repeated chunk gets the same
  // elements (under a proof with a new nonce) and is not debited again; a chunk that is refused is not debited at all.
  //
  // Errors (no partial answer): as PublicKey, BlindEvaluate and QuotaLedger::Debit. About 100 microseconds an element,
  // on the caller's thread; an account over its budget is refused before that is spent.
  [[nodiscard]] absl::StatusOr<ChunkAnswer> EvaluateChunk(const ChunkRequest& request, const QuotaBudget& budget);

 private:
  absl::StatusOr<std::shared_ptr<const KeyPair>> Find(std::string_view project, std::string_view purpose) const;

  QuotaLedger& quota_;
  mutable std::shared_mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const KeyPair>> keys_;
  std::set<std::string, std::less<>> destroyed_;  // projects
};

}  // namespace sluis::keys
