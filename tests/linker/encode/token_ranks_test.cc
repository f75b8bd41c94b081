#include "linker/encode/token_ranks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>

#include "common/crypto/crypto.h"

namespace sluis::linker {
namespace {

TEST(TokenRanks, CountTheSmallerSeeds) {
  TokenRanks ranks;
  for (const std::size_t size : {1, 2, 3, 4, 5, 7, 16, 33, 127, 128, 129, 500, 2}) {
    for (const bool equal_ranks : {false, true}) {
      std::deque<CachedToken> tokens(size);
      std::vector<CachedToken*> used;
      for (std::size_t i = 0; i < size; ++i) {
        tokens[i].seed = common::Sha256("token " + std::to_string(i));
        // Ranks on both sides of the largest signed number, and, if asked for, seeds that begin alike.
        if (equal_ranks) std::ranges::fill_n(tokens[i].seed.begin(), 4, i % 3 == 0 ? 0xFF : 0x00);
        tokens[i].rank = common::ReadBigEndian32(common::AsChars(tokens[i].seed));
        used.push_back(&tokens[i]);
      }
      const auto places = ranks.PlacesOf(used);
      ASSERT_EQ(places.size(), size);
      for (std::size_t i = 0; i < size; ++i) {
        const auto smaller =
            std::ranges::count_if(tokens, [&](const CachedToken& other) { return other.seed < tokens[i].seed; });
        EXPECT_EQ(places[i], smaller) << size << " " << i;
      }
    }
  }
}

TEST(TokenCache, FindsKeysOfAllLengths) {
  TokenCache cache;
  std::vector<std::string> keys;
  for (std::size_t length = 0; length <= 12; ++length) {
    for (const char last : {'a', 'b', '\0'}) {
      std::string key(length, 'x');
      if (length > 0) key.back() = last;
      if (length > 0 || last == 'a') keys.push_back(key);
    }
  }
  for (int i = 0; i < 3000; ++i) keys.push_back("k" + std::to_string(i * 7919));
  std::vector<CachedToken*> inserted;
  for (const std::string& key : keys) {
    ASSERT_EQ(cache.Find(key), nullptr) << key;
    inserted.push_back(cache.Insert(key, common::Sha256(key), 2048, 0));
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    cache.Prefetch(keys[i]);
    ASSERT_EQ(cache.Find(keys[i]), inserted[i]);
    EXPECT_EQ(inserted[i]->seed, common::Sha256(keys[i]));
  }
  EXPECT_EQ(cache.size(), keys.size());
  cache.Clear();
  EXPECT_EQ(cache.Find(keys[0]), nullptr);
  EXPECT_EQ(cache.size(), 0u);
}

}  // namespace
}  // namespace sluis::linker
