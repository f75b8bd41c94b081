#include "cli/prepare/pseudonym_cache.h"

#include "common/status/status.h"

namespace sluis::cli {
namespace {

constexpr char kPseudonyms[] = "pseudonyms";
constexpr char kChunks[] = "chunks";
constexpr std::size_t kSpaceBytes = 8;
constexpr std::size_t kMacBytes = 16;
constexpr std::size_t kElementBytes = 32;

void AppendString(std::string& out, std::string_view part) {
  common::AppendBigEndian32(out, static_cast<std::uint32_t>(part.size()));
  out += part;
}

std::string DeliveryKey(const DeliveryName& delivery) {
  std::string key;
  AppendString(key, delivery.permit_id);
  AppendString(key, delivery.register_name);
  AppendString(key, delivery.delivery_id);
  return key;
}

std::string SeedKey(const DeliveryName& delivery) { return "seed" + DeliveryKey(delivery); }

std::string NextNumberKey(const DeliveryName& delivery, std::string_view purpose) {
  std::string key = "next" + DeliveryKey(delivery);
  AppendString(key, purpose);
  return key;
}

std::string OpenChunkKey(const DeliveryName& delivery, std::string_view purpose, std::string_view blinded) {
  std::string key = "open" + DeliveryKey(delivery);
  AppendString(key, purpose);
  key += common::AsChars(common::Sha256(blinded));
  return key;
}

std::string EncodeNumber(std::uint32_t number) {
  std::string value;
  common::AppendBigEndian32(value, number);
  return value;
}

absl::StatusOr<std::uint32_t> DecodeNumber(const std::string& value) {
  if (value.size() != 4) {
    return absl::DataLossError("the cache of pseudonyms is damaged: a chunk number has a wrong length");
  }
  return common::ReadBigEndian32(value);
}

}  // namespace

std::vector<std::string> PseudonymCache::Families() { return {kPseudonyms, kChunks}; }

PseudonymCache::PseudonymCache(common::Store& store, const common::SecretBytes& local_key, const common::Permit& permit)
    : store_(store),
      lookup_mac_(common::DeriveKey(local_key, "sluis-cache-lookup-v1")),
      seal_key_(common::DeriveKey(local_key, "sluis-cache-seal-v1")) {
  for (const auto& [purpose, public_key] : permit.oprf_public_keys) {
    std::string space = "sluis-cache-space-v1";
    AppendString(space, permit.id);
    AppendString(space, purpose);
    space += common::AsChars(public_key);
    spaces_[purpose] = common::AsChars(common::Sha256(space));
  }
}

std::string PseudonymCache::LookupOf(std::string_view purpose, std::string_view input) const {
  const std::string& space = spaces_.find(purpose)->second;
  std::string lookup = space.substr(0, kSpaceBytes);
  lookup += common::AsChars(lookup_mac_.Compute(space, input)).substr(0, kMacBytes);
  return lookup;
}

absl::StatusOr<std::optional<std::string>> PseudonymCache::Find(std::string_view lookup) const {
  SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> sealed, store_.Get(kPseudonyms, lookup));
  if (!sealed.has_value()) {
    return std::optional<std::string>();
  }
  absl::StatusOr<std::string> pseudonym = common::AeadOpen(seal_key_, lookup, *sealed);
  if (!pseudonym.ok() || pseudonym->size() != kElementBytes) {
    return absl::DataLossError(
        "the cache of pseudonyms cannot be opened: it is damaged or belongs to another local key; restore the key, or "
        "remove the cache, which costs quota again");
  }
  return std::optional<std::string>(*std::move(pseudonym));
}

absl::StatusOr<std::uint32_t> PseudonymCache::NumberOfChunk(const DeliveryName& delivery, std::string_view purpose,
                                                            std::string_view blinded) {
  const std::string open_key = OpenChunkKey(delivery, purpose, blinded);
  SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> open, store_.Get(kChunks, open_key));
  if (open.has_value()) {
    return DecodeNumber(*open);
  }
  const std::string next_key = NextNumberKey(delivery, purpose);
  SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> next, store_.Get(kChunks, next_key));
  std::uint32_t number = 0;
  if (next.has_value()) {
    SLUIS_ASSIGN_OR_RETURN(number, DecodeNumber(*next));
  }
  common::WriteBatch batch;
  batch.Put(kChunks, open_key, EncodeNumber(number));
  batch.Put(kChunks, next_key, EncodeNumber(number + 1));
  SLUIS_RETURN_IF_ERROR(store_.Write(batch, /*sync=*/true));
  return number;
}

absl::Status PseudonymCache::StoreChunk(const DeliveryName& delivery, std::string_view purpose,
                                        std::string_view blinded, const std::vector<std::string>& lookups,
                                        std::string_view pseudonyms) {
  if (pseudonyms.size() != lookups.size() * kElementBytes) {
    return absl::InternalError("a chunk has another number of pseudonyms than of inputs");
  }
  common::WriteBatch batch;
  for (std::size_t i = 0; i < lookups.size(); ++i) {
    batch.Put(kPseudonyms, lookups[i],
              common::AeadSeal(seal_key_, lookups[i], pseudonyms.substr(i * kElementBytes, kElementBytes)));
  }
  batch.Delete(kChunks, OpenChunkKey(delivery, purpose, blinded));
  return store_.Write(batch, /*sync=*/true);
}

absl::StatusOr<common::SecretBytes> PseudonymCache::BlindSeed(const DeliveryName& delivery) {
  const std::string key = SeedKey(delivery);
  SLUIS_ASSIGN_OR_RETURN(const std::optional<std::string> sealed, store_.Get(kChunks, key));
  if (sealed.has_value()) {
    SLUIS_ASSIGN_OR_RETURN(std::string opened, common::AeadOpen(seal_key_, key, *sealed));
    common::SecretBytes seed = common::SecretBytes::CopyOf(common::AsBytes(opened));
    common::Wipe(opened);
    return seed;
  }
  common::SecretBytes seed = common::SecretBytes::Random(32);
  common::WriteBatch batch;
  batch.Put(kChunks, key, common::AeadSeal(seal_key_, key, common::AsChars(seed.ExposeForUse())));
  SLUIS_RETURN_IF_ERROR(store_.Write(batch, /*sync=*/true));
  return seed;
}

absl::Status PseudonymCache::ForgetBlinds(const DeliveryName& delivery) {
  common::WriteBatch batch;
  batch.Delete(kChunks, SeedKey(delivery));
  return store_.Write(batch, /*sync=*/true);
}

}  // namespace sluis::cli
