#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes/secret.h"

namespace sluis::linker {

// A token that an encoder has met. What most tokens need is in its first line of memory. Wiped at the end: who has the
// positions of tokens reads encodings as well as who has their seeds.
struct alignas(64) CachedToken {
  static constexpr std::size_t kInline = 12;
  static constexpr std::size_t kInlineStable = 8;

  std::uint32_t rank = 0;                             // the first four bytes of the seed, big-endian
  std::array<std::uint16_t, kInline> first{};         // the first positions
  std::array<std::uint16_t, kInlineStable> stable{};  // and those in the stable section, if the plan has one
  std::vector<std::uint16_t> longer, longer_stable;   // all of them, once more were needed
  std::string key;
  common::Hash256 seed{};  // under the plan

  CachedToken() = default;
  CachedToken(const CachedToken&) = delete;
  CachedToken& operator=(const CachedToken&) = delete;
  ~CachedToken();

  // Returns the first `count` positions below `bound`, as token_cache.cc draws them. Valid until the next call.
  std::span<const std::uint16_t> Positions(std::size_t count, std::uint32_t bound);
  std::span<const std::uint16_t> StablePositions(std::size_t count, std::uint32_t bound);
};

// Tokens by their bytes: a table of hashes with linear probing, since an encoder looks up 150 tokens a record. Tokens
// stay where they are until Clear. The hash is not keyed: a custodian who would craft values slows down only itself.
class TokenCache {
 public:
  TokenCache() = default;
  TokenCache(const TokenCache&) = delete;
  TokenCache& operator=(const TokenCache&) = delete;
  TokenCache(TokenCache&&) = default;
  ~TokenCache() { Clear(); }

  // Has the memory read that Find will need first.
  void Prefetch(std::string_view key) const;
  // Returns the token, or nullptr.
  [[nodiscard]] CachedToken* Find(std::string_view key) const;
  // Adds a token of `seed`, draws its first positions below `bound`, and below `stable_bound` if that is not 0, and
  // returns it. Precondition: not there yet; bound >= kInline, stable_bound 0 or >= kInlineStable.
  CachedToken* Insert(std::string_view key, const common::Hash256& seed, std::uint32_t bound,
                      std::uint32_t stable_bound);
  // Forgets and wipes all tokens.
  void Clear();
  std::size_t size() const { return tokens_.size(); }

 private:
  struct Slot {
    std::uint64_t head = 0;        // see HeadOf
    CachedToken* token = nullptr;  // nullptr: free
  };
  void Place(Slot slot);

  std::vector<Slot> slots_;  // a power of two, at most half full
  std::deque<CachedToken> tokens_;
};

}  // namespace sluis::linker
