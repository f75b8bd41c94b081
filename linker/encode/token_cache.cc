#include "linker/encode/token_cache.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "linker/encode/keyed_generator.h"
#include "linker/encode/wipe.h"

namespace sluis::linker {
namespace {

constexpr std::size_t kFirstSlots = 1024;
constexpr std::size_t kShortKey = 7;
constexpr std::string_view kStableLabel = "stable";

template <typename Word>
std::uint64_t Load(std::string_view key, std::size_t at) {
  Word word;
  std::memcpy(&word, key.data() + at, sizeof word);
  return word;
}

// Of a key of up to seven bytes, as most are, the key itself and its length; of a longer one a hash, marked as such.
std::uint64_t HeadOf(std::string_view key) {
  if (key.size() > kShortKey) return std::hash<std::string_view>()(key) | std::uint64_t{0xFF} << 56;
  std::uint64_t head = std::uint64_t{key.size()} << 56;
  // Two loads that overlap instead of one of variable size. Heads stay in memory, so the order of bytes is the
  // machine's.
  if (key.size() >= 4) {
    head |= Load<std::uint32_t>(key, 0) | Load<std::uint32_t>(key, key.size() - 4) << (8 * (key.size() - 4));
  } else if (key.size() >= 2) {
    head |= Load<std::uint16_t>(key, 0) | Load<std::uint16_t>(key, key.size() - 2) << (8 * (key.size() - 2));
  } else if (key.size() == 1) {
    head |= Load<std::uint8_t>(key, 0);
  }
  return head;
}

// Knuth's multiplicative hash; its upper bits depend on all of the head's.
std::size_t SlotOf(std::uint64_t head, std::size_t slots) {
  return static_cast<std::size_t>(head * 0x9E3779B97F4A7C15 >> 32) & (slots - 1);
}

void DrawStable(const common::Hash256& seed, std::uint32_t bound, std::size_t count, std::vector<std::uint16_t>& out) {
  common::Hash256 derived = DeriveSeed(seed, kStableLabel);
  const SeedWiper wiper(derived);
  KeyedGenerator(derived).AppendDistinct(bound, count, out);
}

}  // namespace

CachedToken::~CachedToken() {
  common::Wipe({reinterpret_cast<std::uint8_t*>(&rank), sizeof rank});
  WipeElements(first);
  WipeElements(stable);
  WipeElements(longer);
  WipeElements(longer_stable);
  common::Wipe(key);
  common::Wipe(seed);
}

std::span<const std::uint16_t> CachedToken::Positions(std::size_t count, std::uint32_t bound) {
  if (count <= first.size()) return std::span(first).first(count);
  if (longer.size() < count) {
    WipeElements(longer);
    longer.clear();
    KeyedGenerator(seed).AppendDistinct(bound, count, longer);
  }
  return std::span(longer).first(count);
}

std::span<const std::uint16_t> CachedToken::StablePositions(std::size_t count, std::uint32_t bound) {
  if (count <= stable.size()) return std::span(stable).first(count);
  if (longer_stable.size() < count) {
    WipeElements(longer_stable);
    longer_stable.clear();
    DrawStable(seed, bound, count, longer_stable);
  }
  return std::span(longer_stable).first(count);
}

void TokenCache::Prefetch(std::string_view key) const {
  if (!slots_.empty()) __builtin_prefetch(&slots_[SlotOf(HeadOf(key), slots_.size())]);
}

CachedToken* TokenCache::Find(std::string_view key) const {
  if (slots_.empty()) return nullptr;
  const std::uint64_t head = HeadOf(key);
  for (std::size_t at = SlotOf(head, slots_.size()); slots_[at].token != nullptr; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].head == head && (key.size() <= kShortKey || slots_[at].token->key == key)) {
      __builtin_prefetch(slots_[at].token);  // read when the value's other tokens are found
      return slots_[at].token;
    }
  }
  return nullptr;
}

CachedToken* TokenCache::Insert(std::string_view key, const common::Hash256& seed, std::uint32_t bound,
                                std::uint32_t stable_bound) {
  if (2 * (tokens_.size() + 1) > slots_.size()) {
    std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(std::max(kFirstSlots, 2 * slots_.size())));
    for (const Slot& slot : old) {
      if (slot.token != nullptr) Place(slot);
    }
    WipeElements(old);
  }
  CachedToken& token = tokens_.emplace_back();
  token.key = key;
  token.seed = seed;
  token.rank = common::ReadBigEndian32(common::AsChars(seed));
  std::vector<std::uint16_t> positions;
  KeyedGenerator(seed).AppendDistinct(bound, CachedToken::kInline, positions);
  std::ranges::copy(positions, token.first.begin());
  if (stable_bound != 0) {
    WipeElements(positions);
    positions.clear();
    DrawStable(seed, stable_bound, CachedToken::kInlineStable, positions);
    std::ranges::copy(positions, token.stable.begin());
  }
  WipeElements(positions);
  Place({HeadOf(key), &token});
  return &token;
}

void TokenCache::Clear() {
  tokens_.clear();
  WipeElements(slots_);
  slots_.clear();
}

void TokenCache::Place(Slot slot) {
  std::size_t at = SlotOf(slot.head, slots_.size());
  while (slots_[at].token != nullptr) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = slot;
}

}  // namespace sluis::linker
