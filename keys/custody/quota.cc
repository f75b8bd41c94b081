#include "keys/custody/quota.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "common/status/status.h"
#include "keys/oprf/suite.h"

namespace sluis::keys {
namespace {

constexpr std::size_t kMaxNameSize = 512;
constexpr char kUsageVersion = 1;
constexpr std::size_t kUsageSize = 1 + 8 + 8;  // version, elements, chunks
// Version 1 of a chunk has no replays at its end; stores of format 1 have only such.
constexpr char kOldChunkVersion = 1;
constexpr char kChunkVersion = 2;
constexpr std::size_t kOldChunkSize = 1 + 4 + 32;      // version, element count, SHA-256
constexpr std::size_t kChunkSize = kOldChunkSize + 4;  // replays

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

// Takes a length-prefixed name off the front of `bytes`; nullopt if it is cut short.
std::optional<std::string_view> TakeName(std::string_view& bytes) {
  constexpr std::size_t kLengthSize = 2;
  if (bytes.size() < kLengthSize) {
    return std::nullopt;
  }
  const std::size_t size =
      static_cast<std::size_t>(static_cast<unsigned char>(bytes[0])) << 8 | static_cast<unsigned char>(bytes[1]);
  if (bytes.size() < kLengthSize + size) {
    return std::nullopt;
  }
  const std::string_view name = bytes.substr(kLengthSize, size);
  bytes.remove_prefix(kLengthSize + size);
  return name;
}

std::string UsageKey(const QuotaAccount& account) {
  std::string key = "u";
  AppendAccount(key, account);
  return key;
}

std::string DeliveryKey(char kind, const QuotaAccount& account, const std::string& delivery_id) {
  std::string key(1, kind);
  AppendAccount(key, account);
  AppendLengthPrefixed(key, delivery_id);
  return key;
}

std::string DeliveryUsageKey(const QuotaAccount& account, const std::string& delivery_id) {
  return DeliveryKey('d', account, delivery_id);
}

// All chunks of a delivery have keys that begin so, and no others.
std::string ChunkPrefix(const QuotaAccount& account, const std::string& delivery_id) {
  return DeliveryKey('c', account, delivery_id);
}

std::string ChunkKey(const DebitRequest& request) {
  std::string key = ChunkPrefix(request.account, request.delivery_id);
  common::AppendBigEndian32(key, request.chunk_number);
  return key;
}

absl::Status Damaged() {
  return absl::DataLossError(
      "a record of the quota ledger is damaged: stop the key server and restore its store from a backup");
}

std::string EncodeUsage(const QuotaUsage& usage) {
  std::string value(1, kUsageVersion);
  common::AppendBigEndian64(value, usage.elements);
  common::AppendBigEndian64(value, usage.chunks);
  return value;
}

absl::StatusOr<QuotaUsage> DecodeUsage(std::string_view value) {
  if (value.size() != kUsageSize || value[0] != kUsageVersion) {
    return Damaged();
  }
  return QuotaUsage{.elements = common::ReadBigEndian64(value.substr(1)),
                    .chunks = common::ReadBigEndian64(value.substr(9))};
}

struct ChunkRecord {
  std::uint32_t element_count = 0;
  std::string elements_sha256;
  std::uint32_t replays = 0;
};

std::string EncodeChunk(const ChunkRecord& chunk) {
  std::string value(1, kChunkVersion);
  common::AppendBigEndian32(value, chunk.element_count);
  value += chunk.elements_sha256;
  common::AppendBigEndian32(value, chunk.replays);
  return value;
}

absl::StatusOr<ChunkRecord> DecodeChunk(std::string_view value) {
  const bool old = value.size() == kOldChunkSize && value[0] == kOldChunkVersion;
  if (!old && (value.size() != kChunkSize || value[0] != kChunkVersion)) {
    return Damaged();
  }
  return ChunkRecord{.element_count = common::ReadBigEndian32(value.substr(1)),
                     .elements_sha256 = std::string(value.substr(5, 32)),
                     .replays = old ? 0 : common::ReadBigEndian32(value.substr(kOldChunkSize))};
}

absl::StatusOr<QuotaUsage> ReadUsage(const common::Store& store, const QuotaAccount& account) {
  SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> value, store.Get(kQuotaFamily, UsageKey(account)));
  return value.has_value() ? DecodeUsage(*value) : QuotaUsage{};
}

// A delivery of a store of format 1 has chunks but no sum of them until its next debit.
absl::StatusOr<QuotaUsage> ReadDeliveryUsage(const common::Store& store, const QuotaAccount& account,
                                             const std::string& delivery_id) {
  SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> value,
                         store.Get(kQuotaFamily, DeliveryUsageKey(account, delivery_id)));
  if (value.has_value()) {
    return DecodeUsage(*value);
  }
  QuotaUsage usage;
  absl::Status damage;
  SLUIS_RETURN_IF_ERROR(
      store.Scan(kQuotaFamily, ChunkPrefix(account, delivery_id), "", [&](std::string_view, std::string_view bytes) {
        const absl::StatusOr<ChunkRecord> chunk = DecodeChunk(bytes);
        damage = chunk.status();
        if (!chunk.ok()) {
          return false;
        }
        usage.elements += chunk->element_count;
        ++usage.chunks;
        return true;
      }));
  SLUIS_RETURN_IF_ERROR(damage);
  return usage;
}

absl::Status OverBudget(const DebitRequest& request, const std::string& whose, std::uint64_t budget,
                        std::uint64_t used) {
  return common::WithReason(
      absl::ResourceExhaustedError(
          absl::StrCat("chunk ", request.chunk_number, " asks for ", request.element_count,
                       " evaluations, but of the budget of ", budget, " for ", whose, " in project ",
                       request.account.project, ", purpose ", request.account.purpose, ", ", used,
                       " are used: send each distinct identifier once and use the cache of earlier deliveries, or have "
                       "max_records in the permit raised")),
      "QUOTA_EXHAUSTED");
}

bool Exceeds(std::uint64_t used, std::uint64_t more, std::uint64_t budget) {
  return used > budget || more > budget - used;
}

}  // namespace

absl::StatusOr<QuotaLedger::Decision> QuotaLedger::Decide(const DebitRequest& request,
                                                          const QuotaBudget& budget) const {
  SLUIS_RETURN_IF_ERROR(CheckAccount(request.account));
  SLUIS_RETURN_IF_ERROR(CheckName(request.delivery_id, "delivery id"));
  if (request.element_count == 0 || request.element_count > kMaxBatch) {
    return absl::InvalidArgumentError(
        absl::StrCat("chunk ", request.chunk_number, " has ", request.element_count, " elements; 1 to ", kMaxBatch));
  }
  Decision decision{};
  SLUIS_ASSIGN_OR_RETURN(decision.account, ReadUsage(store_, request.account));
  SLUIS_ASSIGN_OR_RETURN(decision.delivery, ReadDeliveryUsage(store_, request.account, request.delivery_id));
  SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> value, store_.Get(kQuotaFamily, ChunkKey(request)));
  if (value.has_value()) {
    SLUIS_ASSIGN_OR_RETURN(const ChunkRecord chunk, DecodeChunk(*value));
    if (chunk.element_count != request.element_count ||
        chunk.elements_sha256 != common::AsChars(request.elements_sha256)) {
      return common::WithReason(
          absl::InvalidArgumentError(absl::StrCat("chunk ", request.chunk_number,
                                                  " of this delivery was sent before with other elements: repeat a "
                                                  "chunk as it was, or use a new delivery")),
          "CHUNK_CHANGED");
    }
    if (chunk.replays >= kMaxReplays) {
      return common::WithReason(
          absl::ResourceExhaustedError(
              absl::StrCat("chunk ", request.chunk_number, " of this delivery was answered again ", kMaxReplays,
                           " times, which is the limit: find out why the answers are lost, then use a new delivery")),
          "REPLAY_LIMIT");
    }
    decision.decision = DebitDecision::kReplay;
    decision.replays = chunk.replays;
    return decision;
  }
  if (Exceeds(decision.account.elements, request.element_count, budget.account)) {
    return OverBudget(request, "this custodian", budget.account, decision.account.elements);
  }
  if (Exceeds(decision.delivery.elements, request.element_count, budget.delivery)) {
    return OverBudget(request, "one delivery of this register", budget.delivery, decision.delivery.elements);
  }
  decision.decision = DebitDecision::kGranted;
  return decision;
}

absl::StatusOr<DebitDecision> QuotaLedger::Debit(const DebitRequest& request, const QuotaBudget& budget) {
  const std::lock_guard lock(mutex_);
  SLUIS_ASSIGN_OR_RETURN(const Decision decision, Decide(request, budget));
  const auto add = [&request](const QuotaUsage& usage) {
    return EncodeUsage({.elements = usage.elements + request.element_count, .chunks = usage.chunks + 1});
  };
  ChunkRecord chunk{.element_count = request.element_count,
                    .elements_sha256 = std::string(common::AsChars(request.elements_sha256))};
  common::WriteBatch batch;
  if (decision.decision == DebitDecision::kGranted) {
    batch.Put(kQuotaFamily, UsageKey(request.account), add(decision.account));
    batch.Put(kQuotaFamily, DeliveryUsageKey(request.account, request.delivery_id), add(decision.delivery));
  } else {
    chunk.replays = decision.replays + 1;
  }
  batch.Put(kQuotaFamily, ChunkKey(request), EncodeChunk(chunk));
  SLUIS_RETURN_IF_ERROR(store_.Write(batch, /*sync=*/true));
  return decision.decision;
}

absl::StatusOr<DebitDecision> QuotaLedger::Check(const DebitRequest& request, const QuotaBudget& budget) const {
  const std::lock_guard lock(mutex_);
  SLUIS_ASSIGN_OR_RETURN(const Decision decision, Decide(request, budget));
  return decision.decision;
}

absl::StatusOr<QuotaUsage> QuotaLedger::Usage(const QuotaAccount& account) const {
  SLUIS_RETURN_IF_ERROR(CheckAccount(account));
  return ReadUsage(store_, account);
}

absl::StatusOr<QuotaUsage> QuotaLedger::DeliveryUsage(const QuotaAccount& account,
                                                      const std::string& delivery_id) const {
  SLUIS_RETURN_IF_ERROR(CheckAccount(account));
  SLUIS_RETURN_IF_ERROR(CheckName(delivery_id, "delivery id"));
  return ReadDeliveryUsage(store_, account, delivery_id);
}

absl::Status QuotaLedger::Forget(std::string_view project) {
  const std::lock_guard lock(mutex_);
  common::WriteBatch batch;
  bool damaged = false;
  // Every account that was ever debited has a sum.
  SLUIS_RETURN_IF_ERROR(store_.Scan(kQuotaFamily, "u", "", [&](std::string_view key, std::string_view) {
    std::string_view rest = key.substr(1);
    const std::optional<std::string_view> custodian = TakeName(rest);
    const std::optional<std::string_view> of = custodian.has_value() ? TakeName(rest) : std::nullopt;
    damaged = damaged || !of.has_value();
    if (of == project) {
      const std::string account(key.substr(1));
      batch.Delete(kQuotaFamily, "u" + account);
      batch.DeletePrefix(kQuotaFamily, "d" + account);
      batch.DeletePrefix(kQuotaFamily, "c" + account);
    }
    return !damaged;
  }));
  if (damaged) {
    return Damaged();
  }
  return store_.Write(batch, /*sync=*/true);
}

}  // namespace sluis::keys
