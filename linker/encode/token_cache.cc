#include "linker/encode/token_cache.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "linker/encode/keyed_generator.h"

namespace sluis::linker {
namespace {

constexpr std::size_t kFirstSlots = 1024;

std::uint64_t HashOf(std::string_view key) { return std::hash<std::string_view>()(key); }

}  // namespace

CachedToken* TokenCache::Find(std::string_view key) {
  if (slots_.empty()) return nullptr;
  const std::uint64_t hash = HashOf(key);
  for (std::size_t at = hash & (slots_.size() - 1); slots_[at].token != nullptr; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].hash == hash && slots_[at].token->key == key) return slots_[at].token;
  }
  return nullptr;
}

CachedToken* TokenCache::Insert(std::string_view key, const common::Hash256& seed, std::uint32_t bound) {
  if (2 * (tokens_.size() + 1) > slots_.size()) {
    const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(std::max(kFirstSlots, 2 * slots_.size())));
    for (const Slot& slot : old) {
      if (slot.token != nullptr) Place(slot);
    }
  }
  CachedToken& token = tokens_.emplace_back();
  token.key = key;
  token.seed = seed;
  token.rank = common::ReadBigEndian64(common::AsChars(seed));
  std::vector<std::uint16_t> positions;
  KeyedGenerator(seed).AppendDistinct(bound, CachedToken::kInline, positions);
  std::ranges::copy(positions, token.first.begin());
  Place({HashOf(key), &token});
  return &token;
}

void TokenCache::Clear() {
  for (CachedToken& token : tokens_) common::Wipe(token.seed);
  tokens_.clear();
  slots_.clear();
}

void TokenCache::Place(Slot slot) {
  std::size_t at = slot.hash & (slots_.size() - 1);
  while (slots_[at].token != nullptr) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = slot;
}

}  // namespace sluis::linker
