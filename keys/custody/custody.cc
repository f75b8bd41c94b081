#include "keys/custody/custody.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/crypto/crypto.h"
#include "common/status/status.h"

namespace sluis::keys {
namespace {

constexpr std::size_t kMaxProjectSize = 63;

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsProjectCharacter(char c) { return IsLower(c) || (c >= '0' && c <= '9') || c == '-'; }

absl::Status Destroyed(std::string_view project) {
  return common::WithReason(
      absl::FailedPreconditionError(absl::StrCat(
          "the keys of project ", std::string(project),
          " were destroyed: nothing can be evaluated under them any more; a new project needs a permit of its own")),
      "KEY_DESTROYED");
}

}  // namespace

absl::Status CheckProjectAndPurpose(std::string_view project, std::string_view purpose) {
  if (project.empty() || project.size() > kMaxProjectSize || !IsLower(project[0]) ||
      !std::all_of(project.begin(), project.end(), IsProjectCharacter)) {
    return absl::InvalidArgumentError(
        "project must begin with a lower-case letter and have at most 63 lower-case letters, digits and hyphens");
  }
  if (std::ranges::find(kPurposes, purpose) == kPurposes.end()) {
    return absl::InvalidArgumentError(absl::StrCat("purpose must be \"", kPurposeIdentifiers, "\", \"",
                                                   kPurposeMatchKeys, "\" or \"", kPurposeTokens, "\""));
  }
  return absl::OkStatus();
}

absl::Status KeyCustody::AddKey(std::string_view project, std::string_view purpose, KeyPair key) {
  SLUIS_RETURN_IF_ERROR(CheckProjectAndPurpose(project, purpose));
  const std::unique_lock lock(mutex_);
  if (destroyed_.contains(project)) {
    return Destroyed(project);
  }
  auto shared = std::make_shared<const KeyPair>(std::move(key));
  if (!keys_.try_emplace({std::string(project), std::string(purpose)}, std::move(shared)).second) {
    return absl::FailedPreconditionError(absl::StrCat("project ", std::string(project), " has a key for ",
                                                      std::string(purpose), " already; it stays as it is"));
  }
  return absl::OkStatus();
}

void KeyCustody::Destroy(std::string_view project) {
  const std::unique_lock lock(mutex_);
  destroyed_.emplace(project);
  std::erase_if(keys_, [&](const auto& entry) { return entry.first.first == project; });
}

absl::StatusOr<std::shared_ptr<const KeyPair>> KeyCustody::Find(std::string_view project,
                                                                std::string_view purpose) const {
  SLUIS_RETURN_IF_ERROR(CheckProjectAndPurpose(project, purpose));
  const std::shared_lock lock(mutex_);
  if (destroyed_.contains(project)) {
    return Destroyed(project);
  }
  const auto found = keys_.find({std::string(project), std::string(purpose)});
  if (found == keys_.end()) {
    return common::WithReason(absl::FailedPreconditionError(
                                  absl::StrCat("no key for ", std::string(purpose), " of project ",
                                               std::string(project), " is loaded: create the project's keys first")),
                              "KEY_ABSENT");
  }
  return found->second;
}

absl::StatusOr<Element> KeyCustody::PublicKey(std::string_view project, std::string_view purpose) const {
  SLUIS_ASSIGN_OR_RETURN(const std::shared_ptr<const KeyPair> key, Find(project, purpose));
  return key->public_key();
}

absl::StatusOr<ChunkAnswer> KeyCustody::EvaluateChunk(const ChunkRequest& request, const QuotaBudget& budget) {
  SLUIS_ASSIGN_OR_RETURN(const std::shared_ptr<const KeyPair> key,
                         Find(request.account.project, request.account.purpose));
  SLUIS_ASSIGN_OR_RETURN(const std::size_t count, CountElements(request.blinded, "blinded elements"));
  const DebitRequest debit{.account = request.account,
                           .delivery_id = request.delivery_id,
                           .chunk_number = request.chunk_number,
                           .element_count = static_cast<std::uint32_t>(count),
                           .elements_sha256 = common::Sha256(request.blinded)};
  // Checked first, so that an exhausted account costs no computation; debited last, so that a chunk with a malformed
  // element costs the custodian nothing. Only the debit counts, and no answer exists before it.
  SLUIS_RETURN_IF_ERROR(quota_.Check(debit, budget).status());
  ChunkAnswer answer;
  SLUIS_ASSIGN_OR_RETURN(answer.evaluated, BlindEvaluate(*key, request.blinded));
  SLUIS_ASSIGN_OR_RETURN(answer.proof, GenerateProof(*key, request.blinded, answer.evaluated));
  SLUIS_ASSIGN_OR_RETURN(answer.decision, quota_.Debit(debit, budget));
  return answer;
}

}  // namespace sluis::keys
