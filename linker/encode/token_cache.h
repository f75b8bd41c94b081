#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes/secret.h"

namespace sluis::linker {

// A token that an encoder has met.
struct CachedToken {
  static constexpr std::size_t kInline = 12;  // more than most tokens need, in the line of memory that is read anyway

  std::string key;
  common::Hash256 seed{};                      // under the plan
  std::uint64_t rank = 0;                      // the first eight bytes of the seed, big-endian
  std::array<std::uint16_t, kInline> first{};  // the first positions
  std::vector<std::uint16_t> longer;           // all of them, once more were needed
  // Of the stable section likewise; empty until they are needed.
  std::vector<std::uint16_t> stable;
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

  // Returns the token, or nullptr.
  [[nodiscard]] CachedToken* Find(std::string_view key);
  // Adds a token of `seed`, draws its first positions below `bound` and returns it. Precondition: not there yet;
  // bound >= kInline.
  CachedToken* Insert(std::string_view key, const common::Hash256& seed, std::uint32_t bound);
  // Forgets all tokens and wipes their seeds.
  void Clear();
  std::size_t size() const { return tokens_.size(); }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    CachedToken* token = nullptr;  // nullptr: free
  };
  void Place(Slot slot);

  std::vector<Slot> slots_;  // a power of two, at most half full
  std::deque<CachedToken> tokens_;
};

}  // namespace sluis::linker
