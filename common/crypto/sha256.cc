#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include "common/crypto/crypto.h"

// OpenSSL's low-level SHA-256, because libsodium's is portable C and OpenSSL's uses the processor's SHA instructions.
// The low-level functions are deprecated in favour of EVP, which allocates and looks up a provider for each message:
// dearer than hashing the message when that is a token of 40 bytes. They cannot fail and are the same code underneath.

namespace sluis::common {
namespace {

constexpr std::size_t kBlock = SHA256_CBLOCK;

// The states after the key's inner and outer block (RFC 2104, section 4).
struct KeyedStates {
  SHA256_CTX inner;
  SHA256_CTX outer;
};

template <typename T, std::size_t n>
T& Begin(std::array<std::uint8_t, n>& storage) {
  static_assert(sizeof(T) <= n);
  return *new (storage.data()) T{};
}

template <typename T, std::size_t n>
T& In(std::array<std::uint8_t, n>& storage) {
  return *std::launder(reinterpret_cast<T*>(storage.data()));
}

template <typename T, std::size_t n>
const T& In(const std::array<std::uint8_t, n>& storage) {
  return *std::launder(reinterpret_cast<const T*>(storage.data()));
}

}  // namespace

Hash256 Sha256(std::string_view data) {
  Sha256Hasher hasher;
  hasher.Update(data);
  return hasher.Finish();
}

Sha256Hasher::Sha256Hasher() { SHA256_Init(&Begin<SHA256_CTX>(state_)); }

void Sha256Hasher::Update(std::string_view data) { SHA256_Update(&In<SHA256_CTX>(state_), data.data(), data.size()); }

Hash256 Sha256Hasher::Finish() {
  Hash256 hash;
  SHA256_Final(hash.data(), &In<SHA256_CTX>(state_));
  return hash;
}

HmacSha256::HmacSha256(const SecretBytes& key) {
  std::array<std::uint8_t, kBlock> block{};
  if (key.size() > kBlock) {
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, key.ExposeForUse().data(), key.size());
    SHA256_Final(block.data(), &context);
    OPENSSL_cleanse(&context, sizeof(context));
  } else {
    std::ranges::copy(key.ExposeForUse(), block.begin());
  }
  KeyedStates& states = Begin<KeyedStates>(state_);
  for (std::uint8_t& byte : block) byte ^= 0x36;
  SHA256_Init(&states.inner);
  SHA256_Update(&states.inner, block.data(), block.size());
  for (std::uint8_t& byte : block) byte ^= 0x36 ^ 0x5c;
  SHA256_Init(&states.outer);
  SHA256_Update(&states.outer, block.data(), block.size());
  OPENSSL_cleanse(block.data(), block.size());
}

HmacSha256::~HmacSha256() { Wipe(std::span<std::uint8_t>(state_)); }

Hash256 HmacSha256::Compute(std::string_view a, std::string_view b) const {
  const KeyedStates& states = In<KeyedStates>(state_);
  Hash256 mac;
  SHA256_CTX context = states.inner;
  SHA256_Update(&context, a.data(), a.size());
  SHA256_Update(&context, b.data(), b.size());
  SHA256_Final(mac.data(), &context);
  context = states.outer;
  SHA256_Update(&context, mac.data(), mac.size());
  SHA256_Final(mac.data(), &context);
  // Between the calls the context held states that depend on the key; what is left now is the MAC and the message's
  // last bytes.
  OPENSSL_cleanse(&context, sizeof(context));
  return mac;
}

}  // namespace sluis::common
