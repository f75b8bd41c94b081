#include "keys/custody/quota.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "keys/oprf/suite.h"

namespace sluis::keys {
namespace {

constexpr std::size_t kMaxNameSize = 512;
constexpr char kRecordVersion = 1;
constexpr std::size_t kUsageSize = 1 + 8 + 8;   // version, elements, chunks
constexpr std::size_t kChunkSize = 1 + 4 + 32;  // version, element count, SHA-256

absl::Status CheckName(std::string_view name, std::string_view what) {
  if (name.empty() || name.size() > kMaxNameSize) {
    return absl::InvalidArgumentError(
        absl::StrCat(std::string(what), " has ", name.size(), " bytes; 1 to ", kMaxNameSize, " are allowed"));
  }
  return absl::OkStatus();
}

absl::Status CheckAccount(const QuotaAccount& account) {
  SLUIS_RETURN_IF_ERROR(CheckName(account.custodian, "custodian"));
  SLUIS_RETURN_IF_ERROR(CheckName(account.project, "project"));
  return CheckName(account.purpose, "purpose");
}

// Length prefixes keep ("ab", "c") and ("a", "bc") apart.
void AppendAccount(std::string& key, const QuotaAccount& account) {
  AppendLengthPrefixed(key, account.custodian);
  AppendLengthPrefixed(key, account.project);
  AppendLengthPrefixed(key, account.purpose);
}

std::string UsageKey(const QuotaAccount& account) {
  std::string key = "u";
  AppendAccount(key, account);
  return key;
}

std::string ChunkKey(const DebitRequest& request) {
  std::string key = "c";
  AppendAccount(key, request.account);
  AppendLengthPrefixed(key, request.delivery_id);
  common::AppendBigEndian32(key, request.chunk_number);
  return key;
}

std::string EncodeUsage(const QuotaUsage& usage) {
  std::string value(1, kRecordVersion);
  common::AppendBigEndian64(value, usage.elements);
  common::AppendBigEndian64(value, usage.chunks);
  return value;
}

std::string EncodeChunk(const DebitRequest& request) {
  std::string value(1, kRecordVersion);
  common::AppendBigEndian32(value, request.element_count);
  value += common::AsChars(request.elements_sha256);
  return value;
}

absl::Status CheckRecord(const std::string& value, std::size_t size) {
  if (value.size() != size || value[0] != kRecordVersion) {
    return absl::DataLossError(
        "a record of the quota ledger is damaged: stop the key server and restore its store from a backup");
  }
  return absl::OkStatus();
}

absl::StatusOr<QuotaUsage> ReadUsage(const common::Store& store, const QuotaAccount& account) {
  SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> value, store.Get(kQuotaFamily, UsageKey(account)));
  if (!value.has_value()) {
    return QuotaUsage{};
  }
  SLUIS_RETURN_IF_ERROR(CheckRecord(*value, kUsageSize));
  const std::string_view bytes = *value;
  return QuotaUsage{.elements = common::ReadBigEndian64(bytes.substr(1)),
                    .chunks = common::ReadBigEndian64(bytes.substr(9))};
}

}  // namespace

absl::StatusOr<QuotaLedger::Decision> QuotaLedger::Decide(const DebitRequest& request, std::uint64_t budget) const {
  SLUIS_RETURN_IF_ERROR(CheckAccount(request.account));
  SLUIS_RETURN_IF_ERROR(CheckName(request.delivery_id, "delivery id"));
  if (request.element_count == 0 || request.element_count > kMaxBatch) {
    return absl::InvalidArgumentError(
        absl::StrCat("chunk ", request.chunk_number, " has ", request.element_count, " elements; 1 to ", kMaxBatch));
  }
  SLUIS_ASSIGN_OR_RETURN(const QuotaUsage usage, ReadUsage(store_, request.account));
  SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> chunk, store_.Get(kQuotaFamily, ChunkKey(request)));
  if (chunk.has_value()) {
    SLUIS_RETURN_IF_ERROR(CheckRecord(*chunk, kChunkSize));
    if (*chunk != EncodeChunk(request)) {
      return common::WithReason(
          absl::InvalidArgumentError(absl::StrCat("chunk ", request.chunk_number,
                                                  " of this delivery was sent before with other elements: repeat a "
                                                  "chunk as it was, or use a new delivery")),
          "CHUNK_CHANGED");
    }
    return Decision{DebitDecision::kReplay, usage};
  }
  if (usage.elements > budget || request.element_count > budget - usage.elements) {
    return common::WithReason(absl::ResourceExhaustedError(absl::StrCat(
                                  "chunk ", request.chunk_number, " asks for ", request.element_count,
                                  " evaluations, but of the budget of ", budget, " for this custodian in project ",
                                  request.account.project, ", purpose ", request.account.purpose, ", ", usage.elements,
                                  " are used: send each distinct identifier once and use the cache of earlier "
                                  "deliveries, or have the budget in the permit raised")),
                              "QUOTA_EXHAUSTED");
  }
  return Decision{DebitDecision::kGranted, usage};
}

absl::StatusOr<DebitDecision> QuotaLedger::Debit(const DebitRequest& request, std::uint64_t budget) {
  const std::lock_guard lock(mutex_);
  SLUIS_ASSIGN_OR_RETURN(const Decision decision, Decide(request, budget));
  if (decision.decision == DebitDecision::kGranted) {
    const QuotaUsage usage{.elements = decision.usage.elements + request.element_count,
                           .chunks = decision.usage.chunks + 1};
    common::WriteBatch batch;
    batch.Put(kQuotaFamily, UsageKey(request.account), EncodeUsage(usage));
    batch.Put(kQuotaFamily, ChunkKey(request), EncodeChunk(request));
    SLUIS_RETURN_IF_ERROR(store_.Write(batch, /*sync=*/true));
  }
  return decision.decision;
}

absl::StatusOr<DebitDecision> QuotaLedger::Check(const DebitRequest& request, std::uint64_t budget) const {
  const std::lock_guard lock(mutex_);
  SLUIS_ASSIGN_OR_RETURN(const Decision decision, Decide(request, budget));
  return decision.decision;
}

absl::StatusOr<QuotaUsage> QuotaLedger::Usage(const QuotaAccount& account) const {
  SLUIS_RETURN_IF_ERROR(CheckAccount(account));
  return ReadUsage(store_, account);
}

}  // namespace sluis::keys
